// Messages to a user, to everybody and to the client, and what the server states of the client.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {connect} from '../../web/stormo.js';
import {assertRejected, inWorld, outcome, settle, url} from './fakes.mjs';

const user = {to: 'user'};
const all = {to: 'all'};
const welcome = (fields = {}) => ({event: 'welcome', client: 'c1', user: 'ada', groups: [], ...fields});
const message = (to, offset, text) => ({event: 'message', to, offset, message: text});

// Replies to all joins without a reply, with this position.
function replyToJoins({socket}, epoch, offset, recovered) {
  for (const {id, cmd} of socket.sent.splice(0)) {
    if (cmd === 'join') socket.deliverJson({id, ok: true, epoch, offset, recovered});
  }
}

test('with a token the client joins its user and everybody, once', inWorld({token: 't'}, world => {
  world.accept();
  world.socket.deliverJson(welcome());
  world.socket.deliverJson(welcome());
  assert.deepEqual(world.socket.joins, [[user, undefined], [all, undefined]]);
}));

test('messages to the user and to everybody are emitted, and set their positions', inWorld({token: 't'}, world => {
  world.accept();
  world.socket.deliverJson(welcome());
  replyToJoins(world, 'e', 3);
  world.socket.deliverJson(message('user', 5, 'mail'));
  world.socket.deliverJson({event: 'message', to: 'all', offset: 6, binary: 'AQI='});
  assert.deepEqual(world.eventsOf('message'), [{to: 'user', message: 'mail', offset: 5},
    {to: 'all', message: new Uint8Array([1, 2]), offset: 6}]);
  assert.deepEqual(world.stormo.position(user), {epoch: 'e', offset: 5});
  assert.deepEqual(world.stormo.position(all), {epoch: 'e', offset: 6});
}));

test('after a reconnect the user and everybody are joined at their positions, before welcome', inWorld({token: 't'}, world => {
  world.accept();
  world.socket.deliverJson(welcome());
  replyToJoins(world, 'e', 3);
  world.socket.deliverJson(message('user', 5, 'mail'));
  world.breakAndAccept();
  assert.deepEqual(world.socket.joins, [[user, 5], [all, 3]]);
  world.socket.deliverJson(message('user', 7, 'missed'));
  replyToJoins(world, 'e', 9, true);
  world.socket.deliverJson(welcome());
  assert.deepEqual(world.socket.joins, []);
  assert.deepEqual(world.eventsOf('message').map(({offset}) => offset), [5, 7]);
  assert.deepEqual(world.eventsOf('gap'), []);
}));

test('a stored position of the user gets the messages since then', inWorld({token: 't', user: {epoch: 'e', offset: 7}}, world => {
  world.accept();
  world.socket.deliverJson(welcome());
  assert.deepEqual(world.socket.joins, [[user, 7], [all, undefined]]);
  world.socket.deliverJson(message('user', 8, 'while offline'));
  world.socket.reply('join', {epoch: 'e', offset: 9});
  assert.deepEqual(world.eventsOf('message'), [{to: 'user', message: 'while offline', offset: 8}]);
}));

test('gap and missed state that they are of the user', inWorld({token: 't', all: false, user: {epoch: 'old', offset: 7}}, world => {
  world.accept();
  world.socket.deliverJson(welcome());
  replyToJoins(world, 'e', 9, false);
  assert.deepEqual(world.eventsOf('gap'), [{to: 'user', epoch: 'e', offset: 9}]);
  world.socket.deliverJson({event: 'missed', to: 'user', count: 2});
  assert.deepEqual(world.eventsOf('missed'), [{to: 'user', count: 2, epoch: 'e', offset: 9}]);
}));

test('the options user and all keep the client from joining by itself', inWorld({token: 't', user: false, all: false}, world => {
  world.accept();
  world.socket.deliverJson(welcome());
  assert.deepEqual(world.socket.joins, []);
  world.socket.deliverJson(message('user', 5, 'mail'));
  assert.deepEqual(world.eventsOf('message'), []);
}));

test('a server that gives no id is not asked for messages of users', inWorld({token: 't'}, world => {
  world.accept();
  world.socket.deliverJson(welcome({client: undefined}));
  assert.deepEqual(world.socket.joins, []);
}));

test('without a token everybody is joined by a call, and stays joined', inWorld(async world => {
  world.accept();
  assert.deepEqual(world.socket.joins, []);
  const joined = world.stormo.join(all);
  world.socket.reply('join', {epoch: 'e', offset: 3});
  assert.deepEqual(await joined, {epoch: 'e', offset: 3});
  world.breakAndAccept();
  assert.deepEqual(world.socket.joins, [[all, 3]]);
}));

test('what was left is not joined again by itself', inWorld({token: 't', all: false}, async world => {
  world.accept();
  world.socket.deliverJson(welcome());
  replyToJoins(world, 'e', 3);
  const left = world.stormo.leave(user);
  assert.equal(world.socket.lastOf('leave').to, 'user');
  world.socket.reply('leave');
  await left;
  world.socket.deliverJson(message('user', 5, 'late'));
  assert.deepEqual(world.eventsOf('message'), []);
  world.breakAndAccept();
  world.socket.deliverJson(welcome());
  assert.deepEqual(world.socket.joins, []);
}));

test('without a user for a while the client joins its user again at its position', async () => {
  const given = ['t1', null, 't2'];
  await inWorld({getToken: () => given.shift(), all: false}, async world => {
    await settle();
    world.accept();
    world.socket.deliverJson(welcome());
    replyToJoins(world, 'e', 3);
    world.socket.end(4401);
    world.clock.pass(world.eventsOf('close').at(-1).retryIn);
    await settle();
    world.accept();
    world.socket.refuse('join', 'no_user');
    assert.deepEqual(world.eventsOf('error'), [{code: 'no_user', to: 'user'}]);
    world.socket.deliverJson({event: 'expiring', seconds: 60});
    await settle();
    world.socket.reply('refresh', welcome());
    assert.deepEqual(world.socket.joins, [[user, 3], [user, 3]]);
  })();
});

test('a message to the client is emitted without a join', inWorld(world => {
  world.accept();
  world.socket.deliverJson(message('client', 5, 'only you'));
  assert.deepEqual(world.eventsOf('message'), [{to: 'client', message: 'only you', offset: 5}]);
}));

test('messages to an audience that is not known are ignored', inWorld(world => {
  world.accept();
  world.socket.deliverJson(message('planet', 5, 'hello'));
  assert.deepEqual([world.eventsOf('message'), world.eventsOf('error')], [[], []]);
}));

test('a group with the name of an audience is a group', inWorld({token: 't'}, async world => {
  world.accept();
  world.socket.deliverJson(welcome());
  replyToJoins(world, 'e', 3);
  await world.join('user', {epoch: 'e', offset: 4});
  world.socket.deliverJson({event: 'message', group: 'user', offset: 5, message: 'of the group'});
  assert.deepEqual(world.eventsOf('message'), [{group: 'user', message: 'of the group', offset: 5}]);
  assert.equal(world.stormo.position(user).offset, 3);
}));

test('what cannot be joined or sent to is rejected', inWorld(async world => {
  await assertRejected(world.stormo.join({to: 'client'}), 'wrong_type');
  await assertRejected(world.stormo.join({}), 'wrong_type');
  await assertRejected(world.stormo.join('\0user'), 'name_reserved');
  await assertRejected(world.stormo.send(user, 'x'), 'wrong_type');
  assert.deepEqual(await outcome(world.stormo.leave(all)), {code: 'not_joined', to: 'all'});
}));

test('an option user that is no position is rejected at once', () => {
  assert.throws(() => connect(url, {WebSocket: class {}, user: 'ada'}), /the option user is a position, or false/);
});

// --- What the server states of the client ---

test('welcome sets the id, and the next connection another one', inWorld({token: 't'}, world => {
  world.accept();
  assert.equal(world.stormo.id, undefined);
  world.socket.deliverJson(welcome());
  assert.equal(world.stormo.id, 'c1');
  assert.equal(world.eventsOf('welcome')[0].id, 'c1');
  world.breakAndAccept();
  assert.equal(world.stormo.id, undefined);
}));

test('whoami asks for the id, on each connection until there is a reply', inWorld(async world => {
  const me = world.stormo.whoami();
  world.accept();
  world.breakAndAccept();
  world.socket.reply('whoami', {client: 'c2'});
  assert.deepEqual(await me, {id: 'c2'});
  assert.equal(world.stormo.id, 'c2');
  const again = world.stormo.whoami();
  world.socket.reply('whoami', {client: 'c2', user: 'ada'});
  assert.deepEqual(await again, {id: 'c2', user: 'ada'});
}));

test('the info of the backend replaces that of the token, on this connection', async () => {
  const claims = Buffer.from(JSON.stringify({info: {of: 'token'}})).toString('base64url');
  await inWorld({getToken: () => `h.${claims}.s`}, async world => {
    await settle();
    world.accept();
    world.socket.deliverJson(welcome());
    world.socket.deliverJson({event: 'info', info: {of: 'backend'}});
    assert.deepEqual(world.eventsOf('info'), [{info: {of: 'backend'}}]);
    assert.deepEqual(world.stormo.info, {of: 'backend'});
    world.socket.deliverJson({event: 'expiring', seconds: 60});
    await settle();
    world.socket.reply('refresh', welcome());
    assert.deepEqual(world.stormo.info, {of: 'backend'});
    world.socket.deliverJson({event: 'info', info: null});
    assert.deepEqual(world.eventsOf('info').at(-1), {info: undefined});
    assert.equal(world.stormo.info, undefined);
    world.breakAndAccept();
    world.socket.deliverJson(welcome());
    assert.deepEqual(world.stormo.info, {of: 'token'});
  })();
});

for (const event of [{event: 'info'}, {event: 'info', info: 'x'}, {event: 'joined', group: 'a'}, {event: 'left'},
  {event: 'message', offset: 5, message: 'x'}, welcome({client: 5})]) {
  test(`the malformed event ${JSON.stringify(event)} is an error of the protocol`, inWorld(world => {
    world.accept();
    world.socket.deliverJson(event);
    assert.deepEqual(world.eventsOf('error').map(({code}) => code), ['protocol']);
  }));
}
