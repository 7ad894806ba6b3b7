// The fake environment of the client's tests: a server that sends what a test gives it, and a clock that a test
// advances. Nothing here waits.
import assert from 'node:assert/strict';

import {connect} from '../../web/stormo.js';

// The URL that a fake WebSocket connects to.
export const url = 'ws://127.0.0.1:1234';

const replaced = [];

// Sets this property of `object`, until the end of the test.
export function replace(object, name, value) {
  const own = Object.getOwnPropertyDescriptor(object, name);
  replaced.push(() => own ? Object.defineProperty(object, name, own) : delete object[name]);
  Object.defineProperty(object, name, {value, writable: true, configurable: true});
}

function putBack() {
  while (replaced.length > 0) replaced.pop()();
}

export class FakeWebSocket {
  sent = [];  // requests, as objects
  isClosed = false;
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;

  constructor(address, protocol) {
    this.url = address;
    this.offered = protocol;
  }

  send(text) {
    assert.ok(this.isOpen && !this.isClosed, `sent without a connection: ${text}`);
    this.sent.push(JSON.parse(text));
    this.lastText = text;
  }

  close() {
    this.isClosed = true;
    if (!this.isOpen) this.onerror({});
  }

  // --- The server's side ---

  accept(protocol = 'stormo.v1') {
    this.protocol = protocol;
    this.isOpen = true;
    this.onopen?.({});
  }

  deliver(data) {
    this.onmessage?.({data});
  }

  deliverJson(event) {
    this.deliver(JSON.stringify(event));
  }

  end(code = 1006, reason = '') {
    this.isOpen = false;
    if (code === 1006) this.onerror({});  // fails without a listener, as with the package `ws`
    this.onclose?.({code, reason});
  }

  // Replies to the latest request with that command.
  reply(cmd, fields = {ok: true}) {
    this.deliverJson({id: this.lastOf(cmd).id, ok: true, ...fields});
  }

  refuse(cmd, code) {
    this.reply(cmd, {ok: false, error: {code, message: `it is ${code}`}});
  }

  lastOf(cmd) {
    const request = this.sent.filter(request => request.cmd === cmd).at(-1);
    assert.ok(request, `there was no ${cmd}`);
    return request;
  }

  // The joins that it received, each as [what is joined, offset].
  get joins() {
    return this.sent.filter(({cmd}) => cmd === 'join').map(({group, to, offset}) => [group ?? {to}, offset]);
  }

  count(cmd) {
    return this.sent.filter(request => request.cmd === cmd).length;
  }
}

class FakeClock {
  now = 0;
  #timers = new Map();
  #lastId = 0;

  set = (then, ms) => {
    this.#timers.set(++this.#lastId, {at: this.now + ms, then});
    return this.#lastId;
  };

  clear = id => void this.#timers.delete(id);

  get timers() {
    return this.#timers.size;
  }

  pass(ms) {
    const until = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, {at}]) => at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [id, {at, then}] = due;
      this.#timers.delete(id);
      this.now = at;
      then();
    }
    this.now = until;
  }
}

// An error as a plain object. `to` is there if the error has it.
const addressed = ({code, group, to}) => to === undefined ? {code, group} : {code, to};

// A client in a fake environment. `events` are the events that it emitted: {name, ...argument of the handler}.
class World {
  clock = new FakeClock();
  sockets = [];
  events = [];

  constructor({urls = url, ...options}) {
    const {sockets} = this;
    const given = [urls].flat();
    replace(globalThis, 'setTimeout', this.clock.set);
    replace(globalThis, 'clearTimeout', this.clock.clear);
    class WebSocket extends FakeWebSocket {
      constructor(...args) {
        super(...args);
        assert.ok(given.includes(this.url), this.url);
        sockets.push(this);
      }
    }
    this.stormo = connect(urls, {WebSocket, ...options});
    const names = ['open', 'welcome', 'message', 'missed', 'gap', 'joined', 'left', 'info', 'expiring', 'close', 'error'];
    for (const name of names) {
      this.stormo.on(name, event => {
        const fields = event instanceof Error ? addressed(event) : event;
        this.events.push({name, ...fields});
      });
    }
  }

  get socket() {
    return this.sockets.at(-1);
  }

  eventsOf(name) {
    return this.events.filter(event => event.name === name).map(({name: _, ...fields}) => fields);
  }

  // The server accepts the pending connection, and replies to the session.
  accept() {
    this.socket.accept();
    this.socket.reply('session');
  }

  // The connection breaks, and the server accepts the next one.
  breakAndAccept(code) {
    this.socket.end(code);
    this.nextConnection();
    this.accept();
  }

  nextConnection() {
    const before = this.sockets.length;
    this.clock.pass(this.eventsOf('close').at(-1).retryIn);
    assert.equal(this.sockets.length, before + 1);
  }

  async join(group, position = {epoch: 'a', offset: 0}) {
    const joined = this.stormo.join(group);
    this.socket.reply('join', position);
    return joined;
  }
}

// Runs `body` with a new World, and removes it afterwards.
export function inWorld(options, body) {
  if (!body) return inWorld({}, options);
  return async () => {
    const world = new World(options);
    try {
      await body(world);
    } finally {
      world.stormo.close();
      putBack();
    }
  };
}

// Lets promises that are settled call what waits for them.
export const settle = () => new Promise(resolve => setImmediate(resolve));

// The state of a promise: 'pending', its value, or the code of its error.
export async function outcome(promise) {
  const settled = promise.then(value => ({value}), error => addressed(error));
  return Promise.race([settled, new Promise(resolve => setImmediate(resolve, 'pending'))]);
}

export async function assertPending(promise) {
  assert.equal(await outcome(promise), 'pending');
}

export async function assertRejected(promise, code) {
  assert.equal((await outcome(promise)).code, code);
}
