// web/stormo.js with a real server that is reloaded, killed and restarted: in a page, as the server serves it, and in
// Node.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import WebSocketOfPackage from 'ws';

import {connect} from '../../web/stormo.js';
import {launchBrowser, skip, Stormo, timeout, until} from './stormo.mjs';

const group = 'room.1';
let stormo, browser;

before(async () => {
  if (skip) return;
  stormo = await Stormo.start('--workers', '2', '--history-groups', 'room.*', '--history-messages', '6000');
  browser = await launchBrowser();
});

after(async () => {
  if (skip) return;
  await browser?.close();
  assert.equal(await stormo?.stop(), 0);
});

// A client has the same interface in both places: call() calls a method, events() returns the events emitted so far.

async function openInNode() {
  const client = connect(`ws://${stormo.host}`, {WebSocket: globalThis.WebSocket ?? WebSocketOfPackage});
  const events = [];
  for (const name of ['open', 'message', 'gap', 'close', 'error']) client.on(name, event => events.push({...event, name}));
  return {call: async (method, ...args) => client[method](...args), events: async () => events};
}

async function openInChromium() {
  const page = await browser.newPage();
  await page.goto(`http://${stormo.host}/`);
  await page.evaluate(async () => {
    const {connect} = await import('/stormo.js');
    globalThis.client = connect(`ws://${location.host}`);
    globalThis.events = [];
    for (const name of ['open', 'message', 'gap', 'close', 'error']) client.on(name, event => events.push({...event, name}));
  });
  return {
    call: (method, ...args) => page.evaluate(([method, args]) => client[method](...args), [method, args]),
    events: () => page.evaluate(() => events),
  };
}

const eventsOf = async (client, name) => (await client.events()).filter(event => event.name === name);
const textsOf = async client => (await eventsOf(client, 'message')).map(({message}) => message);
const numbers = (first, last) => Array.from({length: last - first + 1}, (_, at) => `${first + at}`);

// A sender and a receiver. The messages are the numbers from 1 on, up to 16 of them in flight.
class Traffic {
  last = 0;
  inFlight = new Set();

  static async between(open) {
    const traffic = new Traffic();
    [traffic.sender, traffic.receiver] = [await open(), await open()];
    await traffic.receiver.call('join', group);
    return traffic;
  }

  async send(count) {
    while (count-- > 0) {
      const sent = this.sender.call('send', group, `${++this.last}`);
      this.inFlight.add(sent);
      sent.then(() => this.inFlight.delete(sent));
      if (this.inFlight.size >= 16) await Promise.race(this.inFlight);
    }
  }

  // Fewer messages than the server keeps for clients that reconnect.
  async sendUntil(done) {
    let isDone = false;
    const end = done.finally(() => isDone = true);
    for (let left = 5000; left > 0 && !isDone; --left) await this.send(1);
    await end;
  }

  async untilBothReconnected() {
    for (const client of [this.sender, this.receiver]) {
      await until(async () => (await eventsOf(client, 'open')).length >= 2);
    }
  }

  async untilAllArrived() {
    await Promise.all(this.inFlight);
    await until(async () => (await textsOf(this.receiver)).includes(`${this.last}`));
  }

  async end() {
    for (const client of [this.sender, this.receiver]) {
      await client.call('close');
      assert.deepEqual(await eventsOf(client, 'error'), []);
    }
  }
}

for (const [place, open] of [['in Node', openInNode], ['in Chromium', openInChromium]]) {
  const faults = {
    'the server is reloaded': () => stormo.reload(),
    'the server is restarted': () => stormo.restart(),
    'the workers are killed': () => stormo.kill('worker'),
    'all processes are killed': () => stormo.killAndStart(),
  };
  for (const [what, fault] of Object.entries(faults)) {
    test(`${place}, when ${what}, every message arrives once and in order`, {skip, timeout}, async () => {
      const traffic = await Traffic.between(open);
      await traffic.send(20);
      await traffic.sendUntil(fault().then(() => traffic.untilBothReconnected()));
      await traffic.send(20);
      await traffic.untilAllArrived();
      assert.deepEqual(await eventsOf(traffic.receiver, 'gap'), []);
      assert.deepEqual(await textsOf(traffic.receiver), numbers(1, traffic.last));
      await traffic.end();
    });
  }

  test(`${place}, when the Channel is killed, no connection breaks and no message is missing`, {skip, timeout}, async () => {
    const traffic = await Traffic.between(open);
    await traffic.send(20);
    const {epoch} = await traffic.receiver.call('position', group);
    await traffic.sendUntil(stormo.replaceChannel());
    await traffic.send(20);
    await traffic.untilAllArrived();
    assert.equal((await traffic.receiver.call('position', group)).epoch, epoch);
    assert.deepEqual(await textsOf(traffic.receiver), numbers(1, traffic.last));
    for (const name of ['gap', 'close']) assert.deepEqual(await eventsOf(traffic.receiver, name), []);
    await traffic.end();
  });

  test(`${place}, a client that joins with a position receives the missed messages`, {skip, timeout}, async () => {
    const {sender, receiver: former} = await Traffic.between(open);
    await sender.call('send', group, 'received');
    await until(async () => (await textsOf(former)).length > 0);
    const position = await former.call('position', group);
    await former.call('close');
    for (const text of ['missed', {missed: 'too'}]) await sender.call('send', group, text);

    const latter = await open();
    const {recovered} = await latter.call('join', group, position);
    assert.equal(recovered, true);
    assert.deepEqual(await textsOf(latter), ['missed', '{"missed":"too"}']);
    for (const client of [sender, latter]) await client.call('close');
  });
}
