// The hub of the tabs that share a connection: which tab it asks for a token, and when it ends.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Hub} from '../../web/client/shared_hub.js';
import {replace, settle, url} from './fakes.mjs';

function inHub(body) {
  return async () => {
    const locks = new Map();  // by name, what is called when the tab has ended
    const sockets = [];
    replace(globalThis, 'navigator', {locks: {request: (name, then) => void locks.set(name, then)}});
    class WebSocket {
      constructor(address, protocols) {
        this.offered = protocols;
        sockets.push(this);
      }
      close() { this.isClosed = true; }
    }
    const hub = new Hub(WebSocket);
    const options = {retryMin: 250, retryMax: 15_000, pingInterval: 25_000, pingTimeout: 10_000, maxPending: 10};
    const open = lock => {
      const tab = {received: [], postMessage: message => tab.received.push(message)};
      hub.attach(tab);
      tab.post = data => tab.onmessage({data});
      tab.end = () => locks.get(lock)();
      tab.asked = () => tab.received.filter(({kind}) => kind === 'ask');
      tab.post({kind: 'hello', url, options, canAsk: true, lock});
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
