// Reconnects of web/stormo.js: when it tries again, how it detects that a connection is dead, and how it closes.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {assertRejected, inWorld, replace} from './fakes.mjs';

// The minimum of Math.random and, nearly, its maximum.
const least = 0;
const most = 1 - 2 ** -53;
const random = value => replace(Math, 'random', () => value);

test('the retry time is random, from retryMin to a limit that doubles up to retryMax', inWorld(world => {
  for (const [value, expected] of [[least, [250, 250, 250, 250]], [most, [500, 1000, 2000, 4000, 8000, 15000, 15000]]]) {
    random(value);
    world.accept();
    for (const [at, ms] of expected.entries()) {
      world.socket.end();
      const {retryIn} = world.eventsOf('close').at(-1);
      assert.ok(Math.abs(retryIn - ms) < 0.001, `try ${at}: ${retryIn}, not ${ms}`);
      assert.equal(world.stormo.state, 'waiting');
      const before = world.sockets.length;
      world.clock.pass(retryIn - 1);
      assert.equal(world.sockets.length, before);
      world.clock.pass(1);
      assert.equal(world.sockets.length, before + 1);
      assert.equal(world.stormo.state, 'connecting');
    }
  }
}));

test('the retry time is reset only by a reply to the session', inWorld(world => {
  random(most);
  const retries = () => world.eventsOf('close').map(({retryIn}) => Math.round(retryIn));
  for (const isReplied of [true, false, false, true]) {
    world.socket.accept();
    if (isReplied) world.socket.reply('session');
    world.socket.end();
    world.nextConnection();
  }
  assert.deepEqual(retries(), [500, 1000, 2000, 500]);
}));

test('the client reconnects if its session is rejected', inWorld(world => {
  world.socket.accept();
  world.socket.refuse('session', 'wrong_type');
  assert.deepEqual(world.eventsOf('error'), [{code: 'protocol', group: undefined}]);
  assert.equal(world.stormo.state, 'waiting');
}));

test('after 1012 the first retry is within twice retryMin', inWorld(world => {
  random(least);
  world.accept();
  world.socket.end(1012, 'reload');
  assert.deepEqual(world.eventsOf('close'), [{code: 1012, reason: 'reload', retryIn: 0}]);
  world.nextConnection();
  world.socket.end(1012);
  assert.equal(world.eventsOf('close')[1].retryIn, 250);
}));

test('after 1009 the largest send is rejected, the others are resent', inWorld(async world => {
  world.accept();
  const small = world.stormo.send('123', 'small, and long');
  const large = world.stormo.send('123', 'èèèèèèèèèèèè');
  world.breakAndAccept(1009);
  await assertRejected(large, 'too_big');
  assert.equal(world.socket.count('send'), 1);
  world.socket.reply('send');
  await small;
  world.breakAndAccept(1009);
}));

// A World whose global object has event listeners, as in browsers.
function inBrowser(body) {
  return () => {
    const browser = new EventTarget();
    for (const name of ['addEventListener', 'removeEventListener']) {
      replace(globalThis, name, browser[name].bind(browser));
    }
    const document = new EventTarget();
    document.visibilityState = 'visible';
    replace(globalThis, 'document', document);
    const fire = name => (name === 'visibilitychange' ? document : browser).dispatchEvent(new Event(name));
    return inWorld(world => body(world, (name = 'online') => fire(name)))();
  };
}

test('when the browser is online again, the client reconnects at once', inBrowser((world, online) => {
  world.accept();
  online();
  assert.equal(world.sockets.length, 1);
  world.socket.end();
  online();
  assert.equal(world.sockets.length, 2);
  assert.equal(world.stormo.state, 'connecting');
  world.accept();
  world.clock.pass(20_000);  // the scheduled attempt was cancelled
  assert.equal(world.sockets.length, 2);
}));

test('a page that wakes up pings at once, and reconnects without a reply', inBrowser((world, fire) => {
  for (const name of ['online', 'pageshow', 'visibilitychange']) {
    world.accept();
    const {socket} = world;
    fire(name);
    assert.equal(socket.count('ping'), 1);
    world.clock.pass(2_999);
    fire(name);  // causes no other ping, and does not extend the time
    assert.equal(socket.count('ping'), 1);
    assert.equal(world.stormo.state, 'open');
    world.clock.pass(1);
    assert.equal(world.stormo.state, 'waiting');
    assert.equal(world.eventsOf('close').at(-1).reason, 'no reply to a ping');
    world.nextConnection();
  }
}));

test('a page that wakes up keeps its connection if the ping is answered', inBrowser((world, fire) => {
  world.accept();
  fire('pageshow');
  fire('online');
  world.socket.reply('ping');
  world.clock.pass(20_000);
  assert.deepEqual(world.eventsOf('close'), []);
  fire('visibilitychange');
  assert.equal(world.socket.count('ping'), 2);
}));

test('a page that is hidden does not ping', inBrowser((world, fire) => {
  world.accept();
  globalThis.document.visibilityState = 'hidden';
  fire('visibilitychange');
  assert.equal(world.socket.count('ping'), 0);
}));

test('after close() the client ignores wake-up events', inBrowser(({stormo, sockets}, online) => {
  const {removeEventListener} = globalThis;
  let removed = 0;
  replace(globalThis, 'removeEventListener', (...args) => {
    ++removed;
    removeEventListener(...args);
  });
  stormo.close();
  for (const name of ['online', 'pageshow', 'visibilitychange']) online(name);
  assert.equal(removed, 2);  // 'online' and 'pageshow'; the document has the third
  assert.equal(sockets.length, 1);
}));

test('the client pings after each pingInterval of silence, which a reply ends', inWorld(world => {
  world.accept();
  for (let pings = 1; pings <= 3; ++pings) {
    world.clock.pass(24_999);
    assert.equal(world.socket.count('ping'), pings - 1);
    world.clock.pass(1);
    assert.equal(world.socket.count('ping'), pings);
    world.clock.pass(9_999);
    world.socket.reply('ping');
  }
  assert.deepEqual(world.eventsOf('close'), []);
}));

test('the close event has the reason of a failed connection if the WebSocket gives one', inWorld(world => {
  const reasons = () => world.eventsOf('close').map(({code, reason}) => `${code} ${reason}`);
  world.socket.onerror({message: 'Unexpected server response: 403'});
  world.nextConnection();
  world.socket.onerror({});
  assert.deepEqual(reasons(), ['1006 Unexpected server response: 403', '1006 no connection']);
}));

test('a server that accepts connections only without a subprotocol is the wrong one', inWorld(async world => {
  const {stormo, clock} = world;
  const sent = stormo.send('123', 'text');
  for (let turn = 0; turn < 2; ++turn) {
    world.socket.onerror({});  // as browsers do if the server selects no subprotocol
    world.nextConnection();
    assert.equal(world.socket.offered, undefined);
    const before = world.sockets.length;
    world.socket.accept('');
    assert.ok(world.sockets.at(-2).isClosed);
    assert.equal(world.sockets.length, before + 1, 'tries with the subprotocol at once');
    assert.equal(world.socket.offered, 'stormo.v1');
    assert.deepEqual(world.eventsOf('error'), []);
    world.socket.onerror({});
    if (turn === 0) world.nextConnection();
  }
  await assertRejected(sent, 'closed');
  assert.deepEqual(world.eventsOf('error'), [{code: 'wrong_protocol', group: undefined}]);
  assert.equal(world.eventsOf('close').at(-1).retryIn, null);
  assert.equal(stormo.state, 'closed');
  assert.equal(clock.timers, 0);
}));

test('a server that starts during an attempt without a subprotocol is the right one', inWorld(world => {
  world.socket.onerror({});
  world.nextConnection();
  world.socket.accept('');
  world.accept();
  assert.equal(world.stormo.state, 'open');
  for (let failures = 0; failures < 5; ++failures) {
    world.socket.end();
    world.nextConnection();
    assert.equal(world.socket.offered, 'stormo.v1', 'it was open once');
  }
}));

test('a failed connection is retried, also if the WebSocket reports an error without a close', inWorld(world => {
  world.socket.onerror({});
  assert.deepEqual(world.eventsOf('close').map(({code}) => code), [1006]);
  world.nextConnection();
  world.socket.accept('');  // the attempt that tests whether the server is reachable
  world.accept();
  world.socket.onerror({});  // an open connection reports its close after the error
  assert.equal(world.stormo.state, 'open');
}));

test('after a connection opens, the first ping follows pingInterval later', inWorld(world => {
  world.clock.pass(9_000);
  world.socket.accept();
  world.clock.pass(24_999);
  assert.equal(world.stormo.state, 'open');
  assert.equal(world.socket.count('ping'), 0);
}));

test('no ping is sent while messages arrive', inWorld(async world => {
  world.accept();
  await world.join('123');
  for (let offset = 1; offset <= 3; ++offset) {
    world.clock.pass(20_000);
    world.socket.deliverJson({event: 'message', group: '123', offset, message: 'text'});
  }
  assert.equal(world.socket.count('ping'), 0);
}));

test('the client reconnects if a ping is not answered within pingTimeout', inWorld(async world => {
  world.accept();
  await world.join('123');
  const dead = world.socket;
  world.clock.pass(35_000);
  assert.ok(dead.isClosed);
  assert.deepEqual(world.eventsOf('close').map(({code}) => code), [1006]);
  world.nextConnection();
  world.accept();
  world.socket.reply('join', {epoch: 'a', offset: 0, recovered: true});
  dead.deliverJson({event: 'message', group: '123', offset: 1, message: 'late'});
  dead.end();
  assert.deepEqual(world.eventsOf('message'), []);
  assert.equal(world.stormo.state, 'open');
}));

test('the client reconnects if a connection does not open within pingTimeout', inWorld(world => {
  world.clock.pass(9_999);
  assert.equal(world.stormo.state, 'connecting');
  world.clock.pass(1);
  assert.ok(world.socket.isClosed);
  assert.equal(world.stormo.state, 'waiting');
  world.nextConnection();
}));

test('a server that does not support stormo.v1 is reported, and the client closes', inWorld(async world => {
  const {stormo, socket, clock} = world;
  const sent = stormo.send('123', 'text');
  socket.accept('');
  await assertRejected(sent, 'closed');
  assert.deepEqual(world.eventsOf('error'), [{code: 'wrong_protocol', group: undefined}]);
  assert.deepEqual(world.eventsOf('close').map(({retryIn}) => retryIn), [null]);
  assert.deepEqual(world.eventsOf('open'), []);
  assert.deepEqual(socket.sent, []);
  assert.ok(socket.isClosed);
  assert.equal(stormo.state, 'closed');
  assert.equal(clock.timers, 0);
}));

test('close() rejects pending promises, and cancels timers and events', inWorld(async world => {
  const {stormo, socket, clock} = world;
  world.accept();
  await world.join('0');
  await world.join('1');
  const pending = [stormo.join('2'), stormo.send('1', 'text'), stormo.leave('1'), stormo.ping()];
  stormo.close();
  for (const promise of pending) await assertRejected(promise, 'closed');
  for (const promise of [stormo.join('0'), stormo.send('0', ''), stormo.leave('0'), stormo.ping()]) {
    await assertRejected(promise, 'closed');
  }
  assert.ok(socket.isClosed);
  assert.equal(stormo.state, 'closed');
  assert.equal(stormo.position('0'), undefined);
  socket.deliverJson({event: 'message', group: '0', offset: 1, message: 'late'});
  socket.end();
  stormo.close();
  assert.deepEqual(world.eventsOf('message'), []);
  assert.deepEqual(world.eventsOf('close'), [{code: 1000, reason: '', retryIn: null}]);
  assert.equal(clock.timers, 0);
}));

test('close() cancels the next attempt to connect', inWorld(({stormo, socket, sockets, clock}) => {
  socket.end();
  assert.equal(clock.timers, 1);
  stormo.close();
  assert.equal(clock.timers, 0);
  assert.equal(sockets.length, 1);
}));

for (const name of ['open', 'message', 'gap', 'error', 'close']) {
  test(`close() may be called by a handler of '${name}'`, inWorld(async world => {
    const {stormo, socket, clock} = world;
    stormo.on(name, () => stormo.close());
    socket.accept();
    if (stormo.state === 'open') {
      const joined = stormo.join('123', {epoch: 'a', offset: 0}).catch(() => {});
      socket.deliverJson({event: 'message', group: '123', offset: 1, message: 'text'});
      if (stormo.state === 'open') socket.reply('join', {epoch: 'a', offset: 2, recovered: false});
      await joined;
    }
    if (stormo.state === 'open') socket.deliver('no JSON');
    assert.equal(stormo.state, 'closed');
    assert.equal(world.eventsOf('close').at(-1).retryIn, null);
    assert.equal(clock.timers, 0);
  }));
}
