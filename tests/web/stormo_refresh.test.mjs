// refresh(), with which a page shows another token at once.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {assertPending, assertRejected, inWorld, outcome, settle} from './fakes.mjs';

// `give` and `fail` settle the calls of getToken, in their order.
function asked() {
  const calls = [];
  const getToken = () => new Promise((resolve, reject) => calls.push({resolve, reject}));
  const next = how => async value => {
    calls[getToken.settled++][how](value);
    await settle();
  };
  return Object.assign(getToken, {calls, settled: 0, give: next('resolve'), fail: next('reject')});
}

// The promise of a call of refresh() that has called getToken.
async function refresh({stormo}) {
  const refreshed = stormo.refresh();
  refreshed.catch(() => {});  // until the test looks at it
  await settle();
  return {refreshed};
}

const admission = {client: 'c1', user: 'ada', groups: []};

// A client whose first token, 't1', was accepted.
const admitted = body => async () => {
  const getToken = asked();
  await inWorld({getToken, user: false, all: false}, async world => {
    await getToken.give('t1');
    world.accept();
    world.socket.deliverJson({event: 'welcome', ...admission});
    await body(world, getToken);
  })();
};

test('refresh asks for a token and shows it on the open connection', admitted(async (world, getToken) => {
  const {refreshed} = await refresh(world);
  await getToken.give('t2');
  assert.equal(world.socket.lastOf('refresh').token, 't2');
  await assertPending(refreshed);
  world.socket.reply('refresh', {...admission, groups: ['a'], expires: 5});
  assert.deepEqual(await refreshed, {id: 'c1', user: 'ada', groups: ['a'], expires: 5, info: undefined});
  assert.equal(world.eventsOf('welcome').length, 2);
  assert.equal(world.sockets.length, 1);
}));

test('refresh asks again if a call of getToken began before it', admitted(async (world, getToken) => {
  world.socket.deliverJson({event: 'expiring', seconds: 60});
  const {refreshed} = await refresh(world);
  await getToken.give('of former rights');
  await getToken.give('t3');
  assert.deepEqual(world.socket.sent.filter(({cmd}) => cmd === 'refresh').map(({token}) => token), ['of former rights', 't3']);
  const [first, second] = world.socket.sent.filter(({cmd}) => cmd === 'refresh');
  world.socket.deliverJson({id: first.id, ok: true, ...admission});
  await assertPending(refreshed);
  world.socket.deliverJson({id: second.id, ok: true, ...admission});
  assert.equal((await refreshed).user, 'ada');
}));

test('an error of getToken rejects refresh, and the connection stays', admitted(async (world, getToken) => {
  const {refreshed} = await refresh(world);
  await getToken.fail(new Error('offline'));
  await assertRejected(refreshed, 'token_failed');
  assert.deepEqual(world.eventsOf('error'), []);
  assert.equal(world.stormo.state, 'open');
}));

test('a token that is not accepted rejects refresh, and another one is asked for', admitted(async (world, getToken) => {
  const {refreshed} = await refresh(world);
  await getToken.give('t2');
  world.socket.refuse('refresh', 'invalid_token');
  await assertRejected(refreshed, 'invalid_token');
  assert.deepEqual(world.eventsOf('error'), []);
  world.clock.pass(500);
  assert.equal(getToken.calls.length, 3);
}));

test('without a connection the next one shows the token', admitted(async (world, getToken) => {
  world.socket.end();
  const {refreshed} = await refresh(world);
  await getToken.give('t2');
  world.nextConnection();
  assert.deepEqual(world.socket.offered, ['stormo.v1', 'stormo.token.t2']);
  world.accept();
  await assertPending(refreshed);
  world.socket.deliverJson({event: 'welcome', ...admission});
  assert.equal((await refreshed).id, 'c1');
  assert.equal(world.socket.count('refresh'), 0);
}));

test('a token that comes while the connection is made is shown after it', admitted(async (world, getToken) => {
  world.socket.end();
  world.nextConnection();
  const {refreshed} = await refresh(world);
  await getToken.give('t2');
  world.accept();
  world.socket.deliverJson({event: 'welcome', ...admission});
  await assertPending(refreshed);
  assert.equal(world.socket.lastOf('refresh').token, 't2');
  world.socket.reply('refresh', admission);
  assert.equal((await refreshed).id, 'c1');
}));

test('close() rejects refresh', admitted(async (world, getToken) => {
  const {refreshed} = await refresh(world);
  world.stormo.close();
  await assertRejected(refreshed, 'closed');
  await getToken.give('late');
}));

test('without getToken refresh is rejected', inWorld({token: 't'}, async world => {
  world.accept();
  await assertRejected(world.stormo.refresh(), 'token_failed');
}));

test('if getToken gives no token, refresh is rejected', admitted(async (world, getToken) => {
  const {refreshed} = await refresh(world);
  await getToken.give(null);
  await assertRejected(refreshed, 'token_failed');
}));
