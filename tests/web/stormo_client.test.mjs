// Requests, replies and events of web/stormo.js on one connection.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {connect, StormoError} from '../../web/stormo.js';
import {assertPending, assertRejected, inWorld, outcome, replace, url} from './fakes.mjs';

test('the client connects at once, and offers stormo.v1', inWorld(({stormo, socket, sockets, events}) => {
  assert.equal(sockets.length, 1);
  assert.equal(socket.offered, 'stormo.v1');
  assert.equal(stormo.state, 'connecting');
  socket.accept();
  assert.equal(stormo.state, 'open');
  assert.deepEqual(events, [{name: 'open'}]);
}));

test('without a WebSocket connect() throws', () => {
  assert.throws(() => connect(url, {WebSocket: undefined}), /give one as an option/);
});

test('join resolves with the position of the reply', inWorld(async world => {
  world.accept();
  const joined = world.stormo.join('123');
  const {id, ...request} = world.socket.lastOf('join');
  assert.deepEqual(request, {cmd: 'join', group: '123'});
  await assertPending(joined);
  assert.equal(world.stormo.position('123'), undefined);
  world.socket.reply('join', {epoch: 'a', offset: 41});
  assert.deepEqual(await joined, {epoch: 'a', offset: 41});
  assert.deepEqual(world.stormo.position('123'), {epoch: 'a', offset: 41});
}));

test('an integer names the same group as its decimal text', inWorld(async world => {
  world.accept();
  await world.join(123);
  assert.equal(world.socket.lastOf('join').group, '123');
  assert.deepEqual(world.stormo.position('123'), {epoch: 'a', offset: 0});
  await assertRejected(world.stormo.join({}), 'wrong_type');
}));

test('a join with a position sends it, and reports whether all messages were recovered', inWorld(async world => {
  world.accept();
  for (const recovered of [true, false]) {
    const joined = world.stormo.join(`${recovered}`, {epoch: 'a', offset: 41});
    const {epoch, offset} = world.socket.lastOf('join');
    assert.deepEqual({epoch, offset}, {epoch: 'a', offset: 41});
    world.socket.reply('join', {epoch: 'a', offset: 57, recovered});
    assert.deepEqual(await joined, {epoch: 'a', offset: 57, recovered});
  }
  assert.deepEqual(world.eventsOf('gap'), [{group: 'false', epoch: 'a', offset: 57}]);
}));

test('a join with the position null is a join without a position', inWorld(async world => {
  world.accept();
  world.stormo.join('123', null).catch(() => {});
  assert.ok(!('epoch' in world.socket.lastOf('join')));
}));

test('a gap is emitted after the position was updated', inWorld(async world => {
  const {stormo, socket} = world;
  world.accept();
  let position;
  stormo.on('gap', ({group}) => position = stormo.position(group));
  const joined = stormo.join('123', {epoch: 'a', offset: 41});
  socket.reply('join', {epoch: 'b', offset: 3, recovered: false});
  assert.deepEqual(position, {epoch: 'b', offset: 3});
  await joined;
}));

test('missed messages are reported with the position after which they are missing', inWorld(async world => {
  const {stormo, socket} = world;
  world.accept();
  await world.join('123', {epoch: 'a', offset: 41});
  socket.deliverJson({event: 'message', group: '123', offset: 45, message: 'text'});
  socket.deliverJson({event: 'missed', group: '123', count: 17});
  socket.deliverJson({event: 'missed', group: '124', count: 1});  // not joined
  assert.deepEqual(world.eventsOf('missed'), [{group: '123', count: 17, epoch: 'a', offset: 45}]);
  assert.deepEqual(stormo.position('123'), {epoch: 'a', offset: 45});
  assert.deepEqual(world.eventsOf('gap'), []);
}));

test('a rejected join has the code of the server, and is not repeated after a reconnect', inWorld(async world => {
  world.accept();
  const joined = world.stormo.join('123');
  world.socket.refuse('join', 'too_many_groups');
  await assert.rejects(joined, new StormoError('too_many_groups', 'it is too_many_groups', '123'));
  assert.deepEqual(world.eventsOf('error'), []);
  world.breakAndAccept();
  assert.equal(world.socket.count('join'), 0);
}));

test('a join of a joined group sends nothing, and resolves with the current position', inWorld(async world => {
  world.accept();
  await world.join('123', {epoch: 'a', offset: 41});
  world.socket.deliverJson({event: 'message', group: '123', offset: 42, message: 'text'});
  assert.deepEqual(await world.stormo.join('123', {epoch: 'a', offset: 7}), {epoch: 'a', offset: 42});
  assert.equal(world.socket.count('join'), 1);
}));

test('a join of a group that is being joined resolves with the first join', inWorld(async world => {
  world.accept();
  const both = [world.stormo.join('123'), world.stormo.join('123')];
  assert.equal(world.socket.count('join'), 1);
  world.socket.reply('join', {epoch: 'a', offset: 41});
  assert.deepEqual(await Promise.all(both), [{epoch: 'a', offset: 41}, {epoch: 'a', offset: 41}]);
}));

test('messages update the position', inWorld(async world => {
  const {stormo, socket} = world;
  world.accept();
  await world.join('123', {epoch: 'a', offset: 41});
  socket.deliverJson({event: 'message', group: '123', offset: 45, message: 'text'});
  assert.deepEqual(stormo.position('123'), {epoch: 'a', offset: 45});
  assert.deepEqual(world.eventsOf('gap'), []);
}));

test('a message is a string or bytes', inWorld(async world => {
  world.accept();
  await world.join('123');
  world.socket.deliverJson({event: 'message', group: '123', offset: 1, message: ''});
  world.socket.deliverJson({event: 'message', group: '123', offset: 2, binary: 'AP+A'});
  assert.deepEqual(world.eventsOf('message'), [
    {group: '123', message: '', offset: 1},
    {group: '123', message: Uint8Array.of(0, 255, 128), offset: 2},
  ]);
}));

test('messages of groups that were not joined are dropped', inWorld(async world => {
  world.accept();
  await world.join('123');
  world.socket.deliverJson({event: 'message', group: '124', offset: 1, message: 'text'});
  assert.deepEqual(world.eventsOf('message'), []);
  assert.deepEqual(world.eventsOf('error'), []);
  assert.equal(world.stormo.position('124'), undefined);
}));

test('messages replayed before the reply to a join reach the handlers', inWorld(async world => {
  world.accept();
  const joined = world.stormo.join('123', {epoch: 'a', offset: 41});
  world.socket.deliverJson({event: 'message', group: '123', offset: 42, message: 'missed'});
  assert.equal(world.eventsOf('message').length, 1);
  assert.deepEqual(world.stormo.position('123'), {epoch: 'a', offset: 42});
  await assertPending(joined);
  joined.catch(() => {});
}));

test('a send transmits a string unchanged, and any other value as JSON', inWorld(async world => {
  world.accept();
  for (const message of ['text', {a: [1, null]}, 7, null, false, 'a "quoted" \\ud800 \u0000 è 🙂']) {
    const sent = world.stormo.send('123', message);
    const {id, ...request} = world.socket.lastOf('send');
    assert.deepEqual(request, {cmd: 'send', group: '123', message});
    await assertPending(sent);
    world.socket.reply('send');
    assert.deepEqual(await outcome(sent), {value: undefined});
  }
}));

test('a lone surrogate becomes U+FFFD, in messages and in names', inWorld(async world => {
  world.accept();
  world.stormo.send('\ud83d', {'\udfff': '\\\ud83d \ud83d\ude00'}).catch(() => {});
  assert.ok(world.socket.lastText.endsWith('"group":"\ufffd","message":{"\\udfff":"\\\\\\ud83d \ud83d\ude00"}}'));
  await world.join('\ud83d');
  world.socket.deliverJson({event: 'message', group: '\ufffd', offset: 1, message: 'text'});
  assert.equal(world.eventsOf('message').length, 1);
}));

test('a rejected send has the code of the server, and is not resent', inWorld(async world => {
  world.accept();
  const sent = world.stormo.send('', 'text');
  world.socket.refuse('send', 'name_empty');
  await assertRejected(sent, 'name_empty');
  world.breakAndAccept();
  assert.equal(world.socket.count('send'), 0);
}));

test('a send of a value without JSON text is rejected, and not sent', inWorld(async world => {
  world.accept();
  const circle = {};
  circle.circle = circle;
  await assert.rejects(world.stormo.send('123', circle), TypeError);
  world.breakAndAccept();
  assert.equal(world.socket.count('send'), 0);
}));

test('replies may arrive in any order', inWorld(async world => {
  world.accept();
  const first = world.stormo.send('123', 'first');
  const second = world.stormo.send('123', 'second');
  world.socket.reply('send');
  assert.deepEqual(await outcome(second), {value: undefined});
  await assertPending(first);
  first.catch(() => {});
}));

test('a leave resolves with its reply, and no message is emitted after the call', inWorld(async world => {
  const {stormo, socket} = world;
  world.accept();
  await world.join('123');
  const left = stormo.leave('123');
  socket.deliverJson({event: 'message', group: '123', offset: 1, message: 'late'});
  await assertPending(left);
  socket.reply('leave');
  assert.deepEqual(await outcome(left), {value: undefined});
  assert.deepEqual(world.eventsOf('message'), []);
  assert.equal(stormo.position('123'), undefined);
}));

test('a join after a leave waits for its reply, and earlier messages are dropped', inWorld(async world => {
  const {stormo, socket} = world;
  world.accept();
  await world.join('123');
  const left = stormo.leave('123');
  const joined = stormo.join('123');
  assert.equal(socket.count('join'), 1);
  socket.deliverJson({event: 'message', group: '123', offset: 1, message: 'late'});
  assert.deepEqual(world.eventsOf('message'), []);
  socket.reply('leave');
  await left;
  assert.equal(socket.count('join'), 2);
  socket.reply('join', {epoch: 'a', offset: 2});
  assert.deepEqual(await joined, {epoch: 'a', offset: 2});
  socket.deliverJson({event: 'message', group: '123', offset: 3, message: 'new'});
  assert.equal(world.eventsOf('message').length, 1);
}));

test('a second leave before the reply sends nothing, and resolves with the first', inWorld(async world => {
  const {stormo, socket} = world;
  world.accept();
  await world.join('123');
  const leaves = [stormo.leave('123')];
  const joined = stormo.join('123');
  leaves.push(stormo.leave('123'));
  await assertRejected(joined, 'left');
  socket.reply('leave');
  await Promise.all(leaves);
  assert.equal(socket.count('leave'), 1);
  assert.equal(socket.count('join'), 1);
}));

test('a leave cancels a join that is in progress', inWorld(async world => {
  const {stormo, socket} = world;
  world.accept();
  const joined = stormo.join('123');
  const left = stormo.leave('123');
  await assertRejected(joined, 'left');
  socket.refuse('join', 'left');
  socket.reply('leave');
  await left;
  assert.deepEqual(world.eventsOf('error'), []);
}));

test('a reply to a cancelled join has no effect', inWorld(async world => {
  world.accept();
  const joined = world.stormo.join('123');
  const left = world.stormo.leave('123');
  await assertRejected(joined, 'left');
  world.socket.reply('join', {epoch: 'a', offset: 1, recovered: false});
  world.socket.reply('leave');
  await left;
  assert.equal(world.stormo.position('123'), undefined);
  assert.deepEqual(world.eventsOf('gap'), []);
}));

test('a reply to a cancelled join does not complete the next join', inWorld(async world => {
  const {stormo, socket} = world;
  world.accept();
  const first = stormo.join('123');
  const left = stormo.leave('123');
  const second = stormo.join('123');
  await assertRejected(first, 'left');
  socket.refuse('join', 'left');
  await assertPending(second);
  socket.reply('leave');
  await left;
  socket.reply('join', {epoch: 'a', offset: 2});
  assert.deepEqual(await second, {epoch: 'a', offset: 2});
}));

test('a leave of a group that was not joined is rejected', inWorld(async world => {
  world.accept();
  await assertRejected(world.stormo.leave('123'), 'not_joined');
  assert.equal(world.socket.count('leave'), 0);
}));

test('a ping resolves with its reply', inWorld(async world => {
  world.accept();
  const pinged = world.stormo.ping();
  await assertPending(pinged);
  world.socket.reply('ping');
  assert.deepEqual(await outcome(pinged), {value: undefined});
}));

test('requests above maxPending are rejected', inWorld({maxPending: 3}, async world => {
  const {stormo, socket} = world;
  world.accept();
  const waiting = [stormo.join('1'), stormo.send('1', 'text'), stormo.ping()];
  for (const more of [stormo.send('1', 'text'), stormo.join('2'), stormo.leave('1'), stormo.ping()]) {
    await assertRejected(more, 'too_many_pending');
  }
  assert.deepEqual(socket.sent.map(request => request.cmd), ['session', 'join', 'send', 'ping']);
  socket.reply('send');
  await waiting[1];
  waiting.push(stormo.send('1', 'text'));
  assert.equal(socket.count('send'), 2);
  waiting.forEach(promise => promise.catch(() => {}));
}));

test('an exception of a handler disturbs neither other handlers nor the client', inWorld(async world => {
  const {stormo, socket} = world;
  const later = [];
  replace(globalThis, 'queueMicrotask', task => later.push(task));
  world.accept();
  await world.join('123');
  let received = 0;
  stormo.on('message', () => { throw new Error('of the handler'); });
  stormo.on('message', () => ++received);
  socket.deliverJson({event: 'message', group: '123', offset: 1, message: 'text'});
  assert.equal(received, 1);
  assert.equal(stormo.state, 'open');
  assert.deepEqual(world.eventsOf('error'), []);
  assert.equal(later.length, 1);
  assert.throws(later[0], /of the handler/);
}));

test('a handler that is added by a handler receives the next event, not the current one', inWorld(async world => {
  world.accept();
  await world.join('123');
  const received = [];
  const removeHandler = world.stormo.on('message', () => {
    removeHandler();
    world.stormo.on('message', ({offset}) => received.push(offset));
  });
  world.socket.deliverJson({event: 'message', group: '123', offset: 1, message: 'text'});
  world.socket.deliverJson({event: 'message', group: '123', offset: 2, message: 'text'});
  assert.deepEqual(received, [2]);
}));

test('a handler is called until it is removed', inWorld(async world => {
  world.accept();
  await world.join('123');
  let received = 0;
  const removeHandler = world.stormo.on('message', () => ++received);
  world.socket.deliverJson({event: 'message', group: '123', offset: 1, message: 'text'});
  removeHandler();
  world.socket.deliverJson({event: 'message', group: '123', offset: 2, message: 'text'});
  assert.equal(received, 1);
  assert.throws(() => world.stormo.on('mesage', () => {}), /no event 'mesage'/);
}));

test('unknown events and fields are ignored', inWorld(async world => {
  world.accept();
  await world.join('123');
  world.socket.deliverJson({event: 'later', what: {}});
  world.socket.deliverJson({event: 'later', group: '123', offset: 1, message: 'text'});
  world.socket.deliverJson({event: 'message', group: '123', offset: 1, message: 'text', later: true});
  assert.deepEqual(world.eventsOf('message'), [{group: '123', message: 'text', offset: 1}]);
  assert.deepEqual(world.eventsOf('error'), []);
}));

test('an error without an id is emitted, and the connection stays open', inWorld(world => {
  world.accept();
  world.socket.deliverJson({id: null, ok: false, error: {code: 'not_json', message: 'it is none'}});
  assert.deepEqual(world.eventsOf('error'), [{code: 'not_json', group: undefined}]);
  assert.equal(world.stormo.state, 'open');
}));

test('no internal promise is rejected without a handler', inWorld(async world => {
  const unhandled = [];
  const listener = error => unhandled.push(error);
  process.on('unhandledRejection', listener);
  const {stormo} = world;
  world.accept();
  await world.join('123');
  const twice = [stormo.join('124'), stormo.join('124')];
  world.socket.refuse('join', 'too_many_groups');
  for (const joined of twice) await assertRejected(joined, 'too_many_groups');
  world.breakAndAccept();
  world.socket.refuse('join', 'too_many_groups');
  const sent = stormo.send('123', 'text');
  world.socket.deliver('no JSON');
  stormo.close();
  await assertRejected(sent, 'closed');
  await new Promise(resolve => setImmediate(resolve));
  process.off('unhandledRejection', listener);
  assert.deepEqual(unhandled, []);
}));
