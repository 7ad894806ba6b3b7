import {closedError, leftError, notJoinedError} from './errors.js';
import {Events} from './events.js';
import {isPosition, nameOf, positionOf} from './messages.js';
import {Hub, unplain} from './shared_hub.js';
import {onWaking} from './waking.js';

// The file that this code is in. As a SharedWorker it has the hub of the tabs.
const kScript = {url: import.meta.url, type: 'module'};
// Changes with the messages between tab and worker: pages of different versions of this file may be open.
const kWorkerName = 'stormo.shared.1';

export function serveTabsInSharedWorker() {
  const {SharedWorkerGlobalScope, name} = globalThis;
  if (!SharedWorkerGlobalScope || !name?.startsWith(kWorkerName)) return;
  const hub = new Hub();
  globalThis.onconnect = ({ports: [port]}) => hub.attach(port);
}

// The address of the worker's script, or undefined if tabs cannot share a connection here: a SharedWorker is of the
// page's own origin, and a tab that ends is noticed by its Web Lock.
export function sharedScript({shared, WebSocket}) {
  const {SharedWorker, navigator, location} = globalThis;
  if (!shared || !SharedWorker || !navigator?.locks || WebSocket !== globalThis.WebSocket) return undefined;
  const script = shared.script ?? kScript.url;
  const url = script && new URL(script, location.href);
  return url && url.origin === location.origin ? url.href : undefined;
}

// A client whose connection is that of all tabs. It has the interface of Client.
export class SharedClient {
  #events = new Events();
  #options;
  #hello;
  #port;
  #isHeard = false;  // the hub has answered
  #unheard = [];  // messages until then: a hub that does not answer must not send them later
  #unlock;  // ends this tab's lock, once it has it
  #fallback;  // the timer until the hub must have answered
  #stopWaking;
  #state = 'connecting';
  #admission = {};
  #lastId = 0;
  #calls = new Map();  // by id, calls without a reply: {resolve, reject}
  #groups = new Map();  // by name: {name, membership, epoch, offset, joining}; joining is a promise
  #declined = new Set();

  constructor(url, options, script) {
    const {WebSocket, shared, token, getToken, joinsGroupsOfToken, ...others} = options;
    this.#options = options;
    const lock = `${kWorkerName}.tab.${Date.now()}.${Math.random()}`;
    this.#hello = {kind: 'hello', url: new URL(url, globalThis.location.href).href, options: others, token,
      canAsk: getToken !== undefined, lock};
    void navigator.locks.request(lock, () => new Promise(unlock => {
      this.#unlock = unlock;
      if (this.#state === 'closed') unlock();
      else this.#port.postMessage(this.#hello);
    }));
    this.#attach(script, shared.name);
    this.#stopWaking = onWaking(() => this.#post({kind: 'wake'}));
  }

  get state() { return this.#state; }
  get user() { return this.#admission.user; }
  get info() { return this.#admission.info; }
  get groups() { return this.#admission.groups; }
  get expires() { return this.#admission.expires; }

  on(name, handler) { return this.#events.on(name, handler); }

  async join(group, position) {
    const name = nameOf(group);
    const known = this.#groups.get(name);
    if (known) return known.joining ?? positionOf(known);
    this.#declined.delete(name);
    return this.#join(name, position ? positionOf(position) : undefined);
  }

  async leave(group) {
    const name = nameOf(group);
    const known = this.#groups.get(name);
    if (this.#state === 'closed') throw closedError();
    if (!known) throw notJoinedError(name);
    this.#groups.delete(name);
    if (this.#admission.groups?.includes(name)) this.#declined.add(name);
    this.#calls.get(known.membership)?.reject(leftError(name));
    this.#calls.delete(known.membership);
    return this.#call('leave', name);
  }

  // The worker gets a copy of what JSON.stringify makes of the message.
  async send(group, message) {
    const json = typeof message === 'string' ? undefined : JSON.stringify(message);
    return this.#call('send', nameOf(group), json === undefined ? message : JSON.parse(json));
  }

  async ping() { return this.#call('ping'); }

  position(group) {
    const known = this.#groups.get(nameOf(group));
    return known && isPosition(known) ? positionOf(known) : undefined;
  }

  close() {
    if (this.#state === 'closed') return;
    this.#port.postMessage({kind: 'bye'});
    this.#end({code: 1000, reason: '', retryIn: null});
  }

  #end(event) {
    this.#state = 'closed';
    clearTimeout(this.#fallback);
    this.#stopWaking();
    this.#unlock?.();
    for (const {reject} of this.#calls.values()) reject(closedError());
    this.#calls.clear();
    this.#groups.clear();
    this.#events.emit('close', event);
  }

  // --- The port ---

  #attach(script, name) {
    try {
      const worker = new SharedWorker(script, {type: kScript.type,
        name: `${kWorkerName} ${this.#hello.url} ${name ?? ''}`});
      worker.onerror = () => this.#useOwnHub();
      this.#fallback = setTimeout(() => this.#useOwnHub(), this.#options.pingTimeout);
      this.#use(worker.port);
    } catch {
      this.#useOwnHub();
    }
  }

  // The script cannot be loaded, is not this one, or the page may not have workers: the hub runs in this tab.
  #useOwnHub() {
    if (this.#isHeard || this.#state === 'closed') return;
    this.#port?.postMessage({kind: 'bye'});
    if (this.#port) this.#port.onmessage = null;
    const {port1, port2} = new MessageChannel();
    new Hub(this.#options.WebSocket).attach(port2);
    this.#use(port1);
  }

  #use(port) {
    this.#port = port;
    port.onmessage = ({data}) => this.#onMessage(data);
    if (this.#unlock) port.postMessage(this.#hello);
  }

  #post(message) {
    if (this.#isHeard) this.#port.postMessage(message);
    else this.#unheard.push(message);
  }

  #call(method, ...args) {
    if (this.#state === 'closed') throw closedError();
    const id = ++this.#lastId;
    const reply = new Promise((resolve, reject) => this.#calls.set(id, {resolve, reject}));
    reply.catch(() => {});
    this.#post({kind: 'call', id, method, args});
    return reply;
  }

  #join(name, position) {
    const group = {name, ...position, membership: this.#lastId + 1};
    const joining = this.#call('join', name, position).catch(error => {
      if (this.#groups.get(name) === group) this.#groups.delete(name);
      throw error;
    });
    this.#groups.set(name, Object.assign(group, {joining}));
    joining.catch(() => {});
    return joining;
  }

  #onMessage(message) {
    if (message.kind === 'hello') return this.#onHello(message);
    if (message.kind === 'state') return void (this.#state = message.state);
    if (message.kind === 'ask') return void this.#giveToken(message.id);
    if (message.kind === 'reply') return this.#onReply(message);
    this.#onEvent(message);
  }

  #onHello({state, admission}) {
    this.#isHeard = true;
    clearTimeout(this.#fallback);
    for (const unheard of this.#unheard.splice(0)) this.#port.postMessage(unheard);
    this.#state = state;
    if (state === 'open') this.#events.emit('open');
    if (admission.user !== undefined) this.#onWelcome(admission);
  }

  async #giveToken(id) {
    try {
      this.#post({kind: 'token', id, token: await this.#options.getToken()});
    } catch (error) {
      this.#post({kind: 'token', id, error: String(error?.message ?? error)});
    }
  }

  #onReply({id, value, error}) {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error) return call?.reject(unplain(error));
    for (const group of this.#groups.values()) {
      if (group.membership === id) Object.assign(group, positionOf(value), {joining: undefined});
    }
    call?.resolve(value);
  }

  #onEvent({name, event, membership, isLeft}) {
    if (name === 'welcome') return this.#onWelcome(event);
    if (name === 'close' && event.retryIn === null) return this.#end(event);
    if (name === 'open') this.#admission = {};
    if (name === 'error') {
      if (isLeft) this.#groups.delete(event.group);
      return this.#events.emit('error', unplain(event));
    }
    if (membership !== undefined) {
      const group = this.#groups.get(event.group);
      if (group?.membership !== membership) return;  // sent before the group was left
      if (name !== 'missed') Object.assign(group, event.epoch === undefined ? {offset: event.offset} : positionOf(event));
    }
    this.#events.emit(name, event);
  }

  #onWelcome(admission) {
    this.#admission = admission;
    for (const name of admission.groups) {
      if (this.#groups.has(name) || this.#declined.has(name)) continue;
      this.#join(name).catch(error => error.code !== 'left' && error.code !== 'closed' && this.#events.emit('error', error));
    }
    this.#events.emit('welcome', {...admission});
  }
}
