// Reconnects of web/stormo.js after messages that the protocol does not allow.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {assertPending, inWorld} from './fakes.mjs';

function assertReconnects(world) {
  const {socket} = world;
  assert.deepEqual(world.eventsOf('error'), [{code: 'protocol', group: undefined}]);
  assert.equal(world.eventsOf('close').at(-1).code, 1002);
  assert.ok(socket.isClosed);
  world.nextConnection();
}

const message = {event: 'message', group: '123', offset: 1, message: 'text'};
for (const malformed of [
  'no JSON', '', '7', 'null', '[]', '{}', {id: 1}, {id: 1, ok: 'yes'}, {id: 1, ok: false},
  {id: 99, ok: true}, {ok: true}, {id: null, ok: true}, {event: 7},
  {...message, group: 123}, {...message, offset: '1'}, {...message, offset: undefined}, {...message, message: undefined},
  {event: 'missed', group: '123'}, {event: 'missed', group: '123', count: '1'}, {event: 'missed', count: 1},
  {...message, message: 7}, {...message, message: undefined, binary: '!'},
]) {
  const data = typeof malformed === 'string' ? malformed : JSON.stringify(malformed);
  test(`the client reconnects after a malformed message: ${data}`, inWorld(async world => {
    world.accept();
    await world.join('123', {epoch: 'b', offset: 0});
    world.socket.deliver(data);
    assertReconnects(world);
    assert.deepEqual(world.eventsOf('message'), []);
    assert.deepEqual(world.stormo.position('123'), {epoch: 'b', offset: 0});
  }));
}

test('the client reconnects after a message that is not text', inWorld(world => {
  world.accept();
  world.socket.deliver(Buffer.from('{"event":"later"}'));
  assertReconnects(world);
}));

test('the client reconnects after a duplicate reply', inWorld(async world => {
  world.accept();
  const pinged = world.stormo.ping();
  world.socket.reply('ping');
  await pinged;
  world.socket.reply('ping');
  assertReconnects(world);
}));

test('the client reconnects after a reply to a request of another connection', inWorld(async world => {
  world.accept();
  const joined = world.stormo.join('123');
  const {id} = world.socket.lastOf('join');
  world.breakAndAccept();
  world.socket.deliverJson({id, ok: true, epoch: 'a', offset: 1});
  await assertPending(joined);
  assertReconnects(world);
  joined.catch(() => {});
}));

test('the client reconnects after an error without a code', inWorld(async world => {
  world.accept();
  const sent = world.stormo.send('123', 'text');
  world.socket.refuse('send', undefined);
  await assertPending(sent);
  assertReconnects(world);
  sent.catch(() => {});
}));

test('a join is resent after a reply without a position', inWorld(async world => {
  world.accept();
  const joined = world.stormo.join('123');
  world.socket.reply('join', {epoch: 'a'});
  assert.equal(world.eventsOf('error')[0].code, 'protocol');
  world.nextConnection();
  world.accept();
  world.socket.reply('join', {epoch: 'a', offset: 1});
  assert.deepEqual(await joined, {epoch: 'a', offset: 1});
}));
