// What web/stormo.js sends on a new connection: its session, joins at the last positions, and unanswered requests.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {assertPending, assertRejected, inWorld, outcome, replace} from './fakes.mjs';

test('the session is sent first: 16 digits, the same on each connection, another one for each client', async () => {
  const sessions = new Set();
  for (let client = 0; client < 2; ++client) {
    await inWorld(world => {
      for (let connection = 0; connection < 2; ++connection) {
        world.accept();
        assert.equal(world.socket.sent[0].cmd, 'session');
        const {session} = world.socket.sent[0];
        assert.match(session, /^[0-9a-f]{16}$/);
        sessions.add(session);
        world.socket.end();
        world.nextConnection();
      }
    })();
  }
  assert.equal(sessions.size, 2);
});

test('the session is never all zero', async () => {
  const draws = [0, 0, 0, 10];
  if (globalThis.crypto) replace(globalThis.crypto, 'getRandomValues', words => words.set(draws.splice(0, 2)));
  else replace(Math, 'random', () => draws.shift() / 2 ** 32);
  await inWorld(world => {
    world.accept();
    assert.equal(world.socket.lastOf('session').session, '000000000000000a');
  })();
});

test('on reconnect it joins at its positions, resends unanswered sends, then sends new ones', inWorld(async world => {
  const {stormo} = world;
  world.accept();
  await world.join('joined', {epoch: 'a', offset: 41});
  const joining = stormo.join('wanted');
  const sends = [stormo.send('1', 'replied'), stormo.send('1', 'first'), stormo.send('1', {a: 'second'})];
  const old = world.socket;
  old.deliverJson({id: old.sent.find(request => request.message === 'replied').id, ok: true});
  old.deliverJson({event: 'message', group: 'joined', offset: 45, message: 'text'});
  old.end();
  sends.push(stormo.send('1', 'meanwhile'));
  stormo.on('open', () => sends.push(stormo.send('1', 'new')));
  world.nextConnection();
  world.socket.accept();

  const idOf = message => old.sent.find(request => request.message === message)?.id;
  const second = old.sent.at(-1);
  const [session, joined, wanted, ...sent] = world.socket.sent;
  assert.equal(session.cmd, 'session');
  assert.deepEqual({...joined, id: 0}, {id: 0, cmd: 'join', group: 'joined', epoch: 'a', offset: 45});
  assert.deepEqual({...wanted, id: 0}, {id: 0, cmd: 'join', group: 'wanted'});
  assert.deepEqual(sent.map(({message}) => message), ['first', {a: 'second'}, 'meanwhile', 'new']);
  assert.deepEqual(sent.slice(0, 2).map(({id}) => id), [idOf('first'), second.id]);

  // Each of the other requests has a new id.
  assert.ok(sent[2].id > second.id && sent[3].id > sent[2].id);
  const ids = [...old.sent, session, joined, wanted, ...sent.slice(2)].map(({id}) => id);
  assert.equal(new Set(ids).size, ids.length);

  await assertPending(joining);
  await assertPending(sends[1]);
  for (const request of [joined, wanted]) world.socket.deliverJson({id: request.id, ok: true, epoch: 'a', offset: 45});
  for (const {id} of sent) world.socket.deliverJson({id, ok: true});
  assert.deepEqual(await joining, {epoch: 'a', offset: 45});
  await Promise.all(sends);
}));

test('a message object that changes after send() is sent and resent unchanged', inWorld(async world => {
  const message = {a: 1};
  const sent = world.stormo.send('123', message);
  message.a = 2;
  world.accept();
  assert.deepEqual(world.socket.lastOf('send').message, {a: 1});
  world.socket.reply('send');
  await sent;
}));

test('requests before the connection is open are sent when it opens', inWorld(async world => {
  const all = [world.stormo.join('123', {epoch: 'a', offset: 41}), world.stormo.send('123', 'text'), world.stormo.ping()];
  assert.deepEqual(world.stormo.position('123'), {epoch: 'a', offset: 41});
  world.accept();
  assert.deepEqual(world.socket.sent.map(({cmd}) => cmd), ['session', 'join', 'send', 'ping']);
  assert.equal(world.socket.lastOf('join').offset, 41);
  world.socket.reply('join', {epoch: 'a', offset: 41, recovered: true});
  world.socket.reply('send');
  world.socket.reply('ping');
  await Promise.all(all);
}));

test('a gap is emitted if a join was not recovered, and only then', inWorld(async world => {
  world.accept();
  await world.join('123', {epoch: 'a', offset: 41});
  world.breakAndAccept();
  world.socket.reply('join', {epoch: 'a', offset: 57, recovered: true});
  assert.deepEqual(world.eventsOf('gap'), []);
  world.breakAndAccept();
  assert.equal(world.socket.lastOf('join').offset, 57);
  world.socket.reply('join', {epoch: 'b', offset: 3, recovered: false});
  assert.deepEqual(world.eventsOf('gap'), [{group: '123', epoch: 'b', offset: 3}]);
}));

test('a rejected join after a reconnect is emitted as an error, and not repeated', inWorld(async world => {
  world.accept();
  await world.join('123');
  world.breakAndAccept();
  world.socket.refuse('join', 'too_many_groups');
  assert.deepEqual(world.eventsOf('error'), [{code: 'too_many_groups', group: '123'}]);
  assert.equal(world.stormo.position('123'), undefined);
  world.breakAndAccept();
  assert.equal(world.socket.count('join'), 0);
}));

test('a leave resolves when the connection is lost, and is not resent', inWorld(async world => {
  world.accept();
  await world.join('123');
  const left = world.stormo.leave('123');
  world.breakAndAccept();
  assert.deepEqual(await outcome(left), {value: undefined});
  assert.deepEqual(world.socket.sent.map(({cmd}) => cmd), ['session']);
}));

test('a join that waits for a leave is sent after a reconnect', inWorld(async world => {
  world.accept();
  await world.join('123');
  const left = world.stormo.leave('123');
  const joined = world.stormo.join('123');
  world.breakAndAccept();
  await left;
  world.socket.reply('join', {epoch: 'a', offset: 1});
  assert.deepEqual(await joined, {epoch: 'a', offset: 1});
}));

test('a leave without a connection resolves at once, and cancels a join', inWorld(async world => {
  const joined = world.stormo.join('123');
  assert.deepEqual(await outcome(world.stormo.leave('123')), {value: undefined});
  await assertRejected(joined, 'left');
  world.accept();
  assert.deepEqual(world.socket.sent.map(({cmd}) => cmd), ['session']);
}));

test('a ping is resent with its id', inWorld(async world => {
  world.accept();
  const pinged = world.stormo.ping();
  const {id} = world.socket.lastOf('ping');
  world.breakAndAccept();
  assert.equal(world.socket.lastOf('ping').id, id);
  world.socket.reply('ping');
  await pinged;
  world.breakAndAccept();
  assert.equal(world.socket.count('ping'), 0);
}));
