// What web/stormo.js does when the server says what it must not.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {assertPending, inWorld} from './fakes.mjs';

function assertMadeAnew(world) {
  const {socket} = world;
  assert.deepEqual(world.eventsOf('error'), [{code: 'protocol', group: undefined}]);
  assert.equal(world.eventsOf('close').at(-1).code, 1002);
  assert.ok(socket.isClosed);
  world.nextConnection();
}

const positionEvent = {event: 'position', group: '123', epoch: 'a', offset: 1};
const message = {event: 'message', group: '123', offset: 1, message: 'text'};
for (const said of [
  'no JSON', '', '7', 'null', '[]', '{}', {id: 1}, {id: 1, ok: 'yes'}, {id: 1, ok: false},
  {id: 99, ok: true}, {ok: true}, {id: null, ok: true}, {event: 7},
  {...message, group: 123}, {...message, offset: '1'}, {...message, offset: undefined}, {...message, message: undefined},
  {...message, message: 7}, {...message, message: undefined, binary: '!'}, {...positionEvent, group: undefined},
  {...positionEvent, epoch: undefined}, {...positionEvent, offset: 'x'},
]) {
  const data = typeof said === 'string' ? said : JSON.stringify(said);
  test(`a connection on which the server says this is made anew: ${data}`, inWorld(async world => {
    world.accept();
    await world.join('123', {epoch: 'b', offset: 0});
    world.socket.deliver(data);
    assertMadeAnew(world);
    assert.deepEqual(world.eventsOf('message'), []);
    assert.deepEqual(world.stormo.position('123'), {epoch: 'b', offset: 0});
  }));
}

test('so is one on which a message is no text', inWorld(world => {
  world.accept();
  world.socket.deliver(Buffer.from('{"event":"later"}'));
  assertMadeAnew(world);
}));

test('so is one on which a request is replied to twice', inWorld(async world => {
  world.accept();
  const pinged = world.stormo.ping();
  world.socket.reply('ping');
  await pinged;
  world.socket.reply('ping');
  assertMadeAnew(world);
}));

test('so is one on which a request of another is replied to', inWorld(async world => {
  world.accept();
  const pinged = world.stormo.ping();
  const {id} = world.socket.lastOf('ping');
  world.breakAndAccept();
  world.socket.deliverJson({id, ok: true});
  await assertPending(pinged);
  assertMadeAnew(world);
  pinged.catch(() => {});
}));

test('so is one on which an error has no code', inWorld(async world => {
  world.accept();
  const sent = world.stormo.send('123', 'text');
  world.socket.refuse('send', undefined);
  await assertPending(sent);
  assertMadeAnew(world);
  sent.catch(() => {});
}));

test('a join that is replied to without a position is asked again', inWorld(async world => {
  world.accept();
  const joined = world.stormo.join('123');
  world.socket.reply('join', {epoch: 'a'});
  assert.equal(world.eventsOf('error')[0].code, 'protocol');
  world.nextConnection();
  world.accept();
  world.socket.reply('join', {epoch: 'a', offset: 1});
  assert.deepEqual(await joined, {epoch: 'a', offset: 1});
}));
