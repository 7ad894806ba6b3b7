// The hub of the tabs that share a connection: which tab it asks for a token, what each tab receives, and when it ends.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Hub} from '../../web/client/shared_hub.js';
import {FakeWebSocket, replace, settle, url} from './fakes.mjs';

function inHub(options, body) {
  if (!body) return inHub({canAsk: true}, options);
  return async () => {
    const locks = new Map();  // by name, what is called when the tab has ended
    const sockets = [];
    replace(globalThis, 'navigator', {locks: {request: (name, then) => void locks.set(name, then)}});
    class WebSocket extends FakeWebSocket {
      constructor(...args) {
        super(...args);
        sockets.push(this);
      }
    }
    const hub = new Hub(WebSocket);
    const settings = {retryMin: 250, retryMax: 15_000, pingInterval: 25_000, pingTimeout: 10_000, maxPending: 10};
    const open = lock => {
      const tab = {received: [], postMessage: message => tab.received.push(message)};
      hub.attach(tab);
      tab.post = data => tab.onmessage({data});
      tab.end = () => locks.get(lock)();
      tab.asked = () => tab.received.filter(({kind}) => kind === 'ask');
      // What it received: messages of groups with their offsets, and other events.
      tab.events = () => tab.received.filter(({kind}) => kind === 'event')
        .map(({name, event}) => name === 'message' ? event.offset : name);
      tab.replyTo = id => tab.received.find(message => message.kind === 'reply' && message.id === id);
      tab.join = (id, ...args) => tab.post({kind: 'call', id, method: 'join', args});
      tab.post({kind: 'hello', urls: [url], options: settings, canAsk: options.canAsk, lock});
      return tab;
    };
    const tabs = [open('first'), open('second')];
    await body({tabs, sockets});
    for (const tab of tabs) tab.end();
    assert.ok(sockets.every(({isClosed}) => isClosed));
  };
}

test('if a tab ends that was asked for a token, another one is asked', inHub(async ({tabs: [first, second], sockets}) => {
  assert.equal(first.asked().length, 1);
  first.end();
  await settle();
  const [{id}] = second.asked();
  second.post({kind: 'token', id, token: 'of.second'});
  await settle();
  assert.deepEqual(sockets.map(({offered}) => offered), [['stormo.v1', 'stormo.token.of.second']]);
}));

test('an error of the tab that was asked reaches all tabs', inHub(async ({tabs, sockets}) => {
  const [{id}] = tabs[0].asked();
  tabs[0].post({kind: 'token', id, error: 'offline'});
  await settle();
  for (const {received} of tabs) {
    const {event} = received.find(({name}) => name === 'error');
    assert.deepEqual(event, {code: 'token_failed', message: 'getToken failed: offline', group: undefined, to: undefined});
  }
  assert.equal(sockets.length, 0);
}));

test('messages of a tab that has ended have no effect', inHub(async ({tabs: [first, second], sockets}) => {
  const [{id}] = first.asked();
  first.end();
  first.post({kind: 'token', id, token: 'late'});
  await settle();
  assert.equal(sockets.length, 0);
  assert.equal(second.asked().length, 1);
}));

const epoch = 'e';
const message = offset => ({event: 'message', group: 'g', offset, message: 'text'});

// The first tab is a member of `g`, at offset 5.
function withAMember(body) {
  return inHub({canAsk: false}, async ({tabs, sockets}) => {
    const [socket] = sockets;
    socket.accept();
    socket.reply('session');
    tabs[0].join(1, 'g');
    socket.reply('join', {epoch, offset: 5});
    await settle();
    assert.deepEqual(tabs[0].replyTo(1).value, {epoch, offset: 5});
    await body({tabs, sockets, socket});
  });
}

// The second tab joins at offset 2, and the connection for its replay is open.
function withAReplay(body) {
  return withAMember(async ({tabs, sockets, socket}) => {
    tabs[1].join(7, 'g', {epoch, offset: 2});
    await settle();
    const replay = sockets[1];
    replay.accept();
    replay.reply('session');
    assert.deepEqual(replay.joins, [['g', 2]]);
    await body({tabs, socket, replay});
  });
}

test('a tab that joins at a position receives its replay, and then each message once', withAReplay(async ({tabs, socket, replay}) => {
  replay.deliverJson(message(3));
  socket.deliverJson(message(6));  // held for the second tab
  socket.deliverJson(message(7));
  for (const offset of [4, 6]) replay.deliverJson(message(offset));
  replay.reply('join', {epoch, offset: 6, recovered: true});
  await settle();
  assert.deepEqual(tabs[1].events().filter(event => event !== 'open'), [3, 4, 6, 7]);
  assert.deepEqual(tabs[1].replyTo(7).value, {epoch, offset: 6, recovered: true});
  assert.ok(replay.isClosed);
  socket.deliverJson(message(8));
  assert.deepEqual(tabs.map(tab => tab.events().at(-1)), [8, 8]);
  assert.deepEqual(tabs[0].events().filter(event => event !== 'open'), [6, 7, 8]);
}));

test('a replay that the server does not have is a gap for that tab alone', withAReplay(async ({tabs, socket, replay}) => {
  replay.reply('join', {epoch, offset: 6, recovered: false});
  await settle();
  socket.deliverJson(message(7));
  assert.deepEqual(tabs[1].events().filter(event => event !== 'open'), ['gap', 7]);
  assert.deepEqual(tabs[0].events().filter(event => event !== 'open'), [7]);
}));

test('a tab that leaves during its replay receives nothing more', withAReplay(async ({tabs, socket, replay}) => {
  replay.deliverJson(message(3));
  tabs[1].post({kind: 'call', id: 8, method: 'leave', args: ['g']});
  replay.deliverJson(message(4));
  socket.deliverJson(message(6));
  replay.reply('join', {epoch, offset: 6, recovered: true});
  await settle();
  assert.deepEqual(tabs[1].events().filter(event => event !== 'open'), [3]);
  assert.equal(tabs[1].replyTo(7).error.code, 'left');
  assert.equal(socket.count('leave'), 0);  // the first tab is a member
}));
