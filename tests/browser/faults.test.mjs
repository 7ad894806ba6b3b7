// Many clients of web/stormo.js send while faults occur one after another. Each member of a group receives every
// message of the others once and in order, however often either of them reconnects, and all members receive them in
// the same order.
// STORMO_FAULTS_SECONDS: duration (default 15). STORMO_FAULTS_SEED: seed of the faults and their order.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {after, before, test} from 'node:test';
import WebSocketOfPackage from 'ws';

import {connect} from '../../web/stormo.js';
import {Stormo, until} from './stormo.mjs';

const seconds = Number(process.env.STORMO_FAULTS_SECONDS ?? 15);
const seed = Number(process.env.STORMO_FAULTS_SEED ?? Math.floor(Math.random() * 1e9));
const groups = ['room.1', 'room.2', 'room.3', 'room.4'];
const clientCount = 40;
const inFlightMax = 4;
const betweenFaults = 1000;  // milliseconds

let stormo;

before(async () => {
  stormo = await Stormo.start('--workers', '4', '--history-groups', 'room.*', '--history-messages', '100000',
    '--history-bytes', '8000000', '--history-seconds', '3600');
});

after(async () => assert.equal(await stormo?.stop(), 0));

// A member of one group, and the messages that it received.
class Client {
  received = new Map();  // by sender, its latest number
  order = createHash('sha256');  // of all messages that it received
  problems = [];
  gaps = 0;
  closes = 0;
  sent = 0;
  inFlight = 0;

  constructor(number) {
    this.name = `client ${number}`;
    this.group = groups[number % groups.length];
    this.stormo = connect(`ws://${stormo.host}`, {WebSocket: globalThis.WebSocket ?? WebSocketOfPackage, retryMax: 2000});
    this.stormo.on('message', ({message}) => this.#receive(JSON.parse(message)));
    this.stormo.on('gap', () => ++this.gaps);
    this.stormo.on('close', () => ++this.closes);
    this.stormo.on('error', error => this.problems.push(error.message));
  }

  get position() {
    return this.stormo.position(this.group);
  }

  #receive({from, number}) {
    const last = this.received.get(from) ?? 0;
    if (number !== last + 1) this.problems.push(`after ${last} of ${from} it received ${number}`);
    this.received.set(from, number);
    this.order.update(`${from}:${number}\n`);
  }

  // Sends while `isSending` returns true. Resolves when all sends have a reply.
  async sendWhile(isSending) {
    while (isSending() || this.inFlight > 0) {
      if (isSending() && this.inFlight < inFlightMax) {
        ++this.inFlight;
        this.stormo.send(this.group, {from: this.name, number: ++this.sent}).then(() => --this.inFlight);
      }
      await wait(20);
    }
  }
}

// Numbers from 0 to `bound` - 1, the same for the same seed (mulberry32).
function randomOf(state) {
  return bound => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

const wait = ms => new Promise(resolve => setTimeout(resolve, ms));

async function pausedFor(pid, ms) {
  process.kill(pid, 'SIGSTOP');
  await wait(ms);
  process.kill(pid, 'SIGCONT');
}

test(`faults cause no missing and no duplicate message (seed ${seed})`,
  {timeout: (seconds + 120) * 1000}, async () => {
    const clients = Array.from({length: clientCount}, (_, number) => new Client(number));
    await Promise.all(clients.map(client => client.stormo.join(client.group)));
    let isRunning = true;
    const senders = clients.map(client => client.sendWhile(() => isRunning));

    const random = randomOf(seed);
    const oneOf = async kind => {
      let all = [];
      await until(async () => (all = await stormo.running(kind)).length > 0);
      return all[random(all.length)].pid;
    };
    const faults = [
      async () => process.kill(await oneOf('worker'), 'SIGKILL'),
      () => stormo.reload(),
      () => stormo.restart(),
      async () => pausedFor(await oneOf('channel'), 700),
      async () => pausedFor(await oneOf('worker'), 700),
      () => stormo.replaceChannel(),
      () => stormo.killAndStart(),
      () => stormo.kill('worker', 'channel'),  // all clients are disconnected while the Channel is not there
      () => stormo.withFullDisk(() => wait(2000)),
    ];
    const end = Date.now() + seconds * 1000;
    let faultCount = 0;
    let left = [];
    while (Date.now() < end || faultCount < faults.length) {
      if (left.length === 0) left = [...faults];
      const [fault] = left.splice(random(left.length), 1);
      await fault();
      ++faultCount;
      await wait(betweenFaults);
    }
    isRunning = false;
    await Promise.all(senders);

    for (const client of clients) {
      const others = clients.filter(other => other.group === client.group);
      const isDone = other => client.received.get(other.name) === other.sent || client.problems.length > 0;
      await until(() => others.every(isDone));
      assert.deepEqual(client.problems, [], client.name);
      assert.equal(client.gaps, 0, client.name);
    }
    for (const group of groups) {
      const orders = clients.filter(client => client.group === group).map(client => client.order.digest('hex'));
      assert.equal(new Set(orders).size, 1, `members of ${group} received its messages in different orders`);
    }
    const sum = countOf => clients.reduce((total, client) => total + countOf(client), 0);
    console.log(`${faultCount} faults, ${sum(client => client.closes)} connections lost, ` +
      `${sum(client => client.sent)} messages sent, ` +
      `${sum(client => client.sent) * clientCount / groups.length} received`);
    assert.ok(sum(client => client.closes) > 0);
    for (const client of clients) client.stormo.close();
  });
