// web/stormo.js with the URLs of several servers: which one it connects to, and when it takes the next one.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {connect} from '../../web/stormo.js';
import {inWorld, replace} from './fakes.mjs';

const urls = ['ws://h1:1234', 'ws://h2:1234', 'ws://h3:1234'];
const [h1, h2, h3] = urls;
const inOrder = {urls, inOrder: true};

const tried = world => world.sockets.map(socket => socket.url);
const retries = world => world.eventsOf('close').map(({retryIn}) => Math.round(retryIn));

test('a failed attempt is followed by one for the next URL', inWorld(inOrder, world => {
  for (let i = 0; i < 4; ++i) {
    world.socket.end();
    world.nextConnection();
  }
  assert.deepEqual(tried(world), [h1, h2, h3, h1, h2]);
}));

test('a server whose connection does not open in time is followed by the next one', inWorld(inOrder, world => {
  world.clock.pass(10_000);
  world.nextConnection();
  assert.deepEqual(tried(world), [h1, h2]);
}));

test('a lost connection is followed by one to the next URL, with the same session', inWorld(inOrder, async world => {
  world.accept();
  await world.join('123', {epoch: 'a', offset: 7});
  const {session} = world.socket.lastOf('session');
  for (const code of [1006, 1001, 1013]) world.breakAndAccept(code);
  assert.deepEqual(tried(world), [h1, h2, h3, h1]);
  assert.equal(world.socket.lastOf('session').session, session);
  assert.deepEqual(world.socket.joins, [['123', 7]]);
}));

test('after 1012 the same URL is first, because its next worker runs already', inWorld(inOrder, world => {
  world.accept();
  world.socket.end(1012);
  world.nextConnection();
  world.socket.end(1012);
  world.nextConnection();
  assert.deepEqual(tried(world), [h1, h1, h2]);
}));

test('the retry time doubles when all URLs have failed', inWorld(inOrder, world => {
  replace(Math, 'random', () => 1 - 2 ** -53);
  for (let i = 0; i < 7; ++i) {
    world.socket.end();
    world.nextConnection();
  }
  assert.deepEqual(retries(world), [500, 500, 500, 1000, 1000, 1000, 2000]);
}));

test('the first attempt for each URL offers stormo.v1, the second one nothing', inWorld(inOrder, world => {
  for (let i = 0; i < 6; ++i) {
    world.socket.end();
    world.nextConnection();
  }
  assert.deepEqual(world.sockets.map(({offered}) => offered !== undefined), [true, true, true, false, false, false, true]);
}));

test('servers that accept every connection but those with stormo.v1 do not support it', inWorld(inOrder, world => {
  for (let i = 0; i < 3; ++i) {
    world.socket.end();
    world.nextConnection();
  }
  while (world.stormo.state !== 'closed') {
    if (world.socket.offered === undefined) world.socket.accept('');
    else world.socket.end();
    if (world.stormo.state === 'waiting') world.clock.pass(world.eventsOf('close').at(-1).retryIn);
  }
  assert.deepEqual(world.eventsOf('error').map(({code}) => code), ['wrong_protocol']);
}));

test('the order is random, and every URL is tried before one is tried again', async () => {
  const orders = new Set();
  for (const value of [0, 0.4, 0.7, 0.99]) {
    replace(Math, 'random', () => value);
    await inWorld({urls}, world => {
      for (let i = 0; i < 5; ++i) {
        world.socket.end();
        world.nextConnection();
      }
      const order = tried(world);
      assert.deepEqual(order.slice(0, 3).sort(), urls);
      assert.deepEqual(order.slice(3), order.slice(0, 3));
      orders.add(order.join());
    })();
  }
  assert.ok(orders.size > 2, [...orders].join('; '));
});

test('url is that of the connection, and of the next attempt while the client waits', inWorld(inOrder, world => {
  assert.equal(world.stormo.url, h1);
  world.accept();
  assert.equal(world.stormo.url, h1);
  world.socket.end();
  assert.equal(world.stormo.url, h2);
  world.nextConnection();
  assert.equal(world.stormo.url, h2);
}));

test('a later change of the list has no effect', () => {
  const list = [...urls];
  return inWorld({urls: list, inOrder: true}, world => {
    list.length = 1;
    world.socket.end();
    world.nextConnection();
    assert.deepEqual(tried(world), [h1, h2]);
  })();
});

test('an invalid URL in the list, and an empty list, are rejected at once', () => {
  const WebSocket = class { constructor() { assert.fail('it connects'); } };
  assert.throws(() => connect([], {WebSocket}), {name: 'TypeError', message: 'the list of URLs is empty'});
  assert.throws(() => connect([h1, 'h2:1234'], {WebSocket}),
    {name: 'TypeError', message: "'h2:1234' does not begin with ws:// or wss://"});
  assert.throws(() => connect([h1, '//h2'], {WebSocket}), {name: 'TypeError'});
});
