// Groups that the backend lets the client join and leave, also while the client's own requests are on their way.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {assertPending, inWorld, outcome, settle} from './fakes.mjs';

const joined = (group, offset, fields = {}) => ({event: 'joined', group, epoch: 'e', offset, ...fields});
const left = group => ({event: 'left', group});
const message = (group, offset) => ({event: 'message', group, offset, message: `m${offset}`});
const offsets = world => world.eventsOf('message').map(({offset}) => offset);

// A client in the group 'a' at offset 3, by the backend.
const inGroup = body => inWorld(async world => {
  world.accept();
  world.socket.deliverJson(joined('a', 3));
  await body(world);
});

test('after joined the messages of the group are emitted, and its position is kept', inGroup(async world => {
  assert.deepEqual(world.eventsOf('joined'), [{group: 'a', epoch: 'e', offset: 3}]);
  assert.deepEqual(world.stormo.position('a'), {epoch: 'e', offset: 3});
  world.socket.deliverJson(message('a', 5));
  assert.deepEqual(world.eventsOf('message'), [{group: 'a', message: 'm5', offset: 5}]);
  assert.deepEqual(await world.stormo.join('a'), {epoch: 'e', offset: 5});
  assert.equal(world.socket.count('join'), 0);
}));

test('a group of the backend is joined again after a reconnect, at its position', inGroup(world => {
  world.socket.deliverJson(message('a', 5));
  world.breakAndAccept();
  assert.deepEqual(world.socket.joins, [['a', 5]]);
  world.socket.deliverJson(message('a', 6));
  world.socket.reply('join', {epoch: 'e', offset: 6, recovered: true});
  assert.deepEqual(offsets(world), [5, 6]);
  assert.deepEqual(world.eventsOf('gap'), []);
}));

test('if the join after a reconnect is forbidden, an error reports it, and the group is dropped', inGroup(world => {
  world.breakAndAccept();
  world.socket.refuse('join', 'forbidden');
  assert.deepEqual(world.eventsOf('error'), [{code: 'forbidden', group: 'a'}]);
  assert.equal(world.stormo.position('a'), undefined);
  world.breakAndAccept();
  assert.deepEqual(world.socket.joins, []);
  world.socket.deliverJson(joined('a', 9));
  world.socket.deliverJson(message('a', 10));
  assert.deepEqual(offsets(world), [10]);
}));

test('joined with a gap emits gap', inWorld(world => {
  world.accept();
  world.socket.deliverJson(joined('a', 3, {recovered: false}));
  assert.deepEqual(world.eventsOf('gap'), [{group: 'a', epoch: 'e', offset: 3}]);
}));

test('after left no message is emitted, and the group is not joined again', inGroup(world => {
  world.socket.deliverJson(left('a'));
  assert.deepEqual(world.eventsOf('left'), [{group: 'a'}]);
  assert.equal(world.stormo.position('a'), undefined);
  world.socket.deliverJson(message('a', 5));
  assert.deepEqual(offsets(world), []);
  world.breakAndAccept();
  assert.deepEqual(world.socket.joins, []);
}));

test('a group of the token that the backend has let the client leave is not joined at the next welcome', inWorld(world => {
  const welcome = {event: 'welcome', user: 'ada', groups: ['a']};
  world.accept();
  world.socket.deliverJson(welcome);
  world.socket.reply('join', {epoch: 'e', offset: 3});
  world.socket.deliverJson(left('a'));
  world.breakAndAccept();
  world.socket.deliverJson(welcome);
  assert.deepEqual(world.socket.joins, []);
  world.socket.deliverJson(joined('a', 5));
  world.breakAndAccept();
  assert.deepEqual(world.socket.joins, [['a', 5]]);
}));

test('left for a group that is not joined has no effect', inWorld(world => {
  world.accept();
  world.socket.deliverJson(left('a'));
  assert.deepEqual(world.eventsOf('left'), []);
}));

// --- Races with the client's own requests ---

test('a join without a position that comes after the backend joins nothing twice', inWorld(async world => {
  world.accept();
  const join = world.stormo.join('a');
  world.socket.deliverJson(joined('a', 3));
  world.socket.deliverJson(message('a', 5));
  await assertPending(join);
  world.socket.refuse('join', 'already_joined');
  assert.deepEqual(await join, {epoch: 'e', offset: 5});
  world.socket.deliverJson(message('a', 6));
  assert.deepEqual(offsets(world), [5, 6]);
  assert.deepEqual(world.eventsOf('error'), []);
}));

test('a join with a position that comes after the backend still gets the messages since then, once', inWorld(async world => {
  world.accept();
  const join = world.stormo.join('a', {epoch: 'e', offset: 1});
  world.socket.deliverJson(joined('a', 3));
  world.socket.deliverJson(message('a', 4));
  world.socket.refuse('join', 'already_joined');
  world.socket.deliverJson(message('a', 5));
  assert.deepEqual(offsets(world), []);
  world.socket.reply('leave');
  assert.deepEqual(world.socket.joins, [['a', 1], ['a', 1]]);
  for (const offset of [2, 4, 5]) world.socket.deliverJson(message('a', offset));
  world.socket.reply('join', {epoch: 'e', offset: 5, recovered: true});
  assert.deepEqual(await join, {epoch: 'e', offset: 5, recovered: true});
  assert.deepEqual(offsets(world), [2, 4, 5]);
}));

test('the backend joins a group again before the client does: no message is missing and none comes twice', inGroup(world => {
  world.breakAndAccept();
  world.socket.deliverJson(joined('a', 7));
  world.socket.deliverJson(message('a', 8));
  world.socket.refuse('join', 'already_joined');
  world.socket.reply('leave');
  for (const offset of [5, 8]) world.socket.deliverJson(message('a', offset));
  world.socket.reply('join', {epoch: 'e', offset: 8, recovered: true});
  assert.deepEqual(offsets(world), [5, 8]);
  assert.deepEqual(world.stormo.position('a'), {epoch: 'e', offset: 8});
}));

test('a break while the client joins once more keeps the position', inWorld(async world => {
  world.accept();
  const join = world.stormo.join('a', {epoch: 'e', offset: 1});
  world.socket.deliverJson(joined('a', 3));
  world.socket.refuse('join', 'already_joined');
  world.breakAndAccept();
  assert.deepEqual(world.socket.joins, [['a', 1]]);
  world.socket.deliverJson(message('a', 2));
  world.socket.reply('join', {epoch: 'e', offset: 2, recovered: true});
  assert.equal((await join).recovered, true);
  assert.deepEqual(offsets(world), [2]);
}));

test('left while the client joins once more ends the join', inWorld(async world => {
  world.accept();
  const join = world.stormo.join('a', {epoch: 'e', offset: 1});
  world.socket.deliverJson(joined('a', 3));
  world.socket.refuse('join', 'already_joined');
  world.socket.deliverJson(left('a'));
  world.socket.refuse('leave', 'not_joined');
  assert.deepEqual(await outcome(join), {code: 'left', group: 'a'});
  assert.equal(world.socket.count('join'), 1);
}));

test('joined and left before the server receives the join leave it in force', inWorld(async world => {
  world.accept();
  const join = world.stormo.join('a');
  world.socket.deliverJson(joined('a', 3));
  world.socket.deliverJson(left('a'));
  world.socket.reply('join', {epoch: 'e', offset: 4});
  assert.deepEqual(await join, {epoch: 'e', offset: 4});
  world.socket.deliverJson(message('a', 5));
  assert.deepEqual(offsets(world), [5]);
}));

test('a join after a reconnect that the backend ends is reported as left', inGroup(world => {
  world.breakAndAccept();
  world.socket.refuse('join', 'left');
  assert.deepEqual(world.eventsOf('left'), [{group: 'a'}]);
  assert.deepEqual(world.eventsOf('error'), []);
}));

test('leave() resolves if the backend came first', inGroup(async world => {
  const leave = world.stormo.leave('a');
  world.socket.deliverJson(left('a'));
  world.socket.refuse('leave', 'not_joined');
  assert.deepEqual(await outcome(leave), {value: undefined});
  assert.deepEqual(world.eventsOf('left'), []);
}));

test('joined that was sent before the server received a leave has no effect', inGroup(async world => {
  const leave = world.stormo.leave('a');
  world.socket.deliverJson(left('a'));
  world.socket.deliverJson(joined('a', 4));
  world.socket.deliverJson(message('a', 5));
  world.socket.reply('leave');
  await leave;
  assert.equal(world.eventsOf('joined').length, 1);
  assert.deepEqual(offsets(world), []);
  assert.equal(world.stormo.position('a'), undefined);
}));

test('the backend may join a group that a token no longer allows: gap', inWorld({getToken: () => 't'}, async world => {
  await settle();
  world.accept();
  await world.join('a', {epoch: 'e', offset: 3});
  world.breakAndAccept();
  world.socket.refuse('join', 'forbidden');
  world.socket.deliverJson(joined('a', 9));
  assert.deepEqual(world.eventsOf('gap'), [{group: 'a', epoch: 'e', offset: 9}]);
  world.socket.deliverJson(message('a', 10));
  assert.deepEqual(offsets(world), [10]);
}));
