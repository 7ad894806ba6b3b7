// The tokens of web/stormo.js: how they are sent and renewed, and what the client does if one is refused.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {connect} from '../../web/stormo.js';
import {assertRejected, inWorld, outcome, replace, settle, url} from './fakes.mjs';

// Gives the tokens t1, t2, … and counts its calls.
function tokens() {
  const getToken = async () => `t${++getToken.calls}`;
  getToken.calls = 0;
  return getToken;
}

const offer = token => ['stormo.v1', `stormo.token.${token}`];
const welcome = (groups = [], fields = {}) => ({event: 'welcome', user: 'ada', groups, ...fields});
const refuseRefresh = (world, message = 'the token has expired') =>
  world.socket.reply('refresh', {ok: false, error: {code: 'invalid_token', message}});

test('a token is offered as a subprotocol, on each connection', inWorld({token: 'a.b-c_d'}, world => {
  assert.deepEqual(world.socket.offered, offer('a.b-c_d'));
  world.accept();
  world.breakAndAccept();
  assert.deepEqual(world.socket.offered, offer('a.b-c_d'));
}));

for (const [what, token] of [['long', 'x'.repeat(4001)], ['malformed', 'no token']]) {
  test(`a ${what} token is sent in the first message`, inWorld({token}, world => {
    assert.equal(world.socket.offered, 'stormo.v1');
    world.accept();
    assert.deepEqual(world.socket.sent.map(({cmd}) => cmd), ['refresh', 'session']);
    assert.equal(world.socket.lastOf('refresh').token, token);
    world.socket.reply('refresh', {user: 'ada', groups: ['news'], expires: 5});
    assert.deepEqual(world.eventsOf('welcome'), [{id: undefined, user: 'ada', groups: ['news'], expires: 5, info: undefined}]);
    assert.equal(world.socket.lastOf('join').group, 'news');
  }));
}

test('welcome sets the user, the info of the token and when it expires', async () => {
  const claims = Buffer.from(JSON.stringify({sub: 'ada', info: {name: 'È'}})).toString('base64url');
  await inWorld({token: `h.${claims}.s`}, world => {
    world.accept();
    assert.equal(world.stormo.user, undefined);
    world.socket.deliverJson(welcome([], {expires: 1900000000}));
    assert.equal(world.stormo.user, 'ada');
    assert.deepEqual(world.stormo.info, {name: 'È'});
    assert.equal(world.stormo.expires, 1900000000);
  })();
});

test('the groups of the token are joined once, those that the application joins at its position', inWorld(async world => {
  const joined = world.stormo.join('b', {epoch: 'e', offset: 7});
  world.accept();
  world.socket.deliverJson(welcome(['a', 'b']));
  const joins = world.socket.sent.filter(({cmd}) => cmd === 'join').map(({group, offset}) => [group, offset]);
  assert.deepEqual(joins, [['b', 7], ['a', undefined]]);
  world.socket.reply('join', {epoch: 'e', offset: 3});
  world.breakAndAccept();
  world.socket.deliverJson(welcome(['a', 'b']));
  assert.equal(world.socket.count('join'), 2);
  assert.equal(world.socket.sent.find(({group}) => group === 'a').offset, 3);
  joined.catch(() => {});
}));

test('a group of the token that was left is not joined again', inWorld(async world => {
  world.accept();
  world.socket.deliverJson(welcome(['a']));
  world.socket.reply('join', {epoch: 'e', offset: 3});
  world.stormo.leave('a');
  world.breakAndAccept();
  world.socket.deliverJson(welcome(['a']));
  assert.equal(world.socket.count('join'), 0);
  world.stormo.join('a').catch(() => {});
  assert.equal(world.socket.count('join'), 1);
}));

test('getToken is called before the first connection', inWorld({getToken: tokens()}, async world => {
  assert.equal(world.sockets.length, 0);
  await settle();
  assert.deepEqual(world.socket.offered, offer('t1'));
}));

test('getToken is not called again for a token that was accepted and has not expired', async () => {
  const getToken = tokens();
  replace(Date, 'now', () => 1_000_000);
  await inWorld({getToken}, async world => {
    await settle();
    world.accept();
    world.socket.deliverJson(welcome([], {expires: 1001}));
    world.breakAndAccept();
    assert.equal(getToken.calls, 1);
    replace(Date, 'now', () => 1_001_000);
    world.socket.deliverJson(welcome([], {expires: 1001}));
    world.socket.end();
    world.clock.pass(world.eventsOf('close').at(-1).retryIn);
    await settle();
    assert.deepEqual(world.socket.offered, offer('t2'));
  })();
});

test('an error of getToken is emitted, and getToken is called again later', async () => {
  let calls = 0;
  const getToken = async () => {
    if (++calls < 3) throw new Error('offline');
    return 'good';
  };
  await inWorld({getToken}, async world => {
    for (let attempt = 1; attempt < 3; ++attempt) {
      await settle();
      assert.equal(calls, attempt);
      assert.equal(world.sockets.length, 0);
      const {code, reason, retryIn} = world.eventsOf('close').at(-1);
      assert.deepEqual({code, reason}, {code: 1006, reason: 'getToken failed: offline'});
      world.clock.pass(retryIn);
    }
    await settle();
    assert.deepEqual(world.socket.offered, offer('good'));
    assert.deepEqual(world.eventsOf('error').map(({code}) => code), ['token_failed', 'token_failed']);
  })();
});

test('getToken may give none: the client connects without a token', inWorld({getToken: () => null}, async world => {
  await settle();
  assert.equal(world.socket.offered, 'stormo.v1');
}));

test('close() while getToken is called makes no connection', async () => {
  let give;
  await inWorld({getToken: () => new Promise(resolve => give = resolve)}, async world => {
    world.stormo.close();
    give('late');
    await settle();
    assert.equal(world.sockets.length, 0);
    assert.equal(world.clock.timers, 0);
  })();
});

test('before it expires the token is renewed on the open connection', inWorld({getToken: tokens()}, async world => {
  await settle();
  world.accept();
  world.socket.deliverJson(welcome(['a']));
  world.socket.reply('join', {epoch: 'e', offset: 3});
  world.socket.deliverJson({event: 'expiring', seconds: 60});
  assert.deepEqual(world.eventsOf('expiring'), [{seconds: 60}]);
  await settle();
  assert.equal(world.socket.lastOf('refresh').token, 't2');
  world.socket.reply('refresh', {user: 'ada', groups: ['a', 'b']});
  assert.equal(world.eventsOf('welcome').length, 2);
  assert.equal(world.socket.lastOf('join').group, 'b');
  assert.deepEqual(world.eventsOf('close'), []);
  world.breakAndAccept();
  assert.deepEqual(world.socket.offered, offer('t2'));
}));

test('a failed renewal is tried again, and a refused one with another token', async () => {
  let calls = 0;
  const getToken = async () => {
    if (++calls === 2) throw new Error('offline');
    return `t${calls}`;
  };
  await inWorld({getToken}, async world => {
    await settle();
    world.accept();
    world.socket.deliverJson(welcome());
    world.socket.deliverJson({event: 'expiring', seconds: 60});
    await settle();
    world.clock.pass(500);
    await settle();
    refuseRefresh(world);
    assert.deepEqual(world.eventsOf('error').map(({code}) => code), ['token_failed', 'invalid_token']);
    world.clock.pass(1000);
    await settle();
    assert.equal(world.socket.lastOf('refresh').token, 't4');
    assert.equal(world.sockets.length, 1);
  })();
});

test('after 4401 the client connects with another token', inWorld({getToken: tokens()}, async world => {
  await settle();
  world.socket.accept();
  world.socket.end(4401, 'the token has expired');
  world.clock.pass(world.eventsOf('close').at(-1).retryIn);
  await settle();
  assert.deepEqual(world.socket.offered, offer('t2'));
  assert.deepEqual(world.eventsOf('error'), []);
}));

for (const options of [{token: 'old'}, {}]) {
  test(`after 4401 a client with ${options.token ? 'a fixed' : 'no'} token ends, with the reason`, inWorld(options, async world => {
    world.socket.accept();
    const joined = world.stormo.join('a');
    world.socket.end(4401, 'the token has expired');
    await assertRejected(joined, 'closed');
    assert.deepEqual(world.events.map(({name, code, retryIn}) => [name, code, retryIn]),
      [['open', undefined, undefined], ['error', 'invalid_token', undefined], ['close', 4401, null]]);
    assert.equal(world.stormo.state, 'closed');
    assert.equal(world.clock.timers, 0);
  }));
}

test('a fixed token that is refused in the first message ends the client', inWorld({token: 'no token'}, async world => {
  world.accept();
  refuseRefresh(world, 'the token is malformed');
  assert.equal(world.eventsOf('close').at(-1).reason, 'the token is malformed');
  assert.equal(world.stormo.state, 'closed');
}));

test('a group that may not be joined again waits for another token', inWorld({getToken: tokens()}, async world => {
  await settle();
  world.accept();
  await world.join('a', {epoch: 'e', offset: 3});
  await world.join('b', {epoch: 'e', offset: 5});
  world.breakAndAccept();
  const [first, second] = world.socket.sent.filter(({cmd}) => cmd === 'join');
  world.socket.deliverJson({id: first.id, ok: false, error: {code: 'forbidden'}});
  world.socket.deliverJson({id: second.id, ok: true, epoch: 'e', offset: 6, recovered: true});
  assert.deepEqual(world.eventsOf('error'), [{code: 'forbidden', group: 'a'}]);
  world.socket.end(1006);
  world.nextConnection();
  world.socket.accept();  // no reply to the session, so the token is not asked for
  assert.deepEqual(world.socket.sent.filter(({cmd}) => cmd === 'join').map(({group}) => group), ['b']);
  world.socket.deliverJson({event: 'expiring', seconds: 60});
  await settle();
  world.socket.reply('refresh', {user: 'ada', groups: []});
  const {group, offset} = world.socket.lastOf('join');
  assert.deepEqual({group, offset}, {group: 'a', offset: 3});
}));

test('a rejected join is not repeated with another token', inWorld({getToken: tokens()}, async world => {
  await settle();
  world.accept();
  const joined = world.stormo.join('a');
  world.socket.refuse('join', 'forbidden');
  assert.deepEqual(await outcome(joined), {code: 'forbidden', group: 'a'});
  world.socket.deliverJson({event: 'expiring', seconds: 60});
  await settle();
  world.socket.reply('refresh', {user: 'ada', groups: []});
  assert.equal(world.socket.count('join'), 1);
}));

test('a malformed welcome is an error of the protocol', inWorld({token: 't'}, world => {
  world.accept();
  world.socket.deliverJson({event: 'welcome', user: 'ada'});
  assert.deepEqual(world.eventsOf('error').map(({code}) => code), ['protocol']);
}));

test('tokens of a wrong type are rejected at once', () => {
  const WebSocket = class {};
  assert.throws(() => connect(url, {WebSocket, token: 5}), /token is not a string/);
  assert.throws(() => connect(url, {WebSocket, getToken: 'x'}), /getToken is not a function/);
});
