import {StormoError, closedError, leftError, notJoinedError} from './errors.js';
import {Events} from './events.js';
import {addressOf, groupOf, isAudience, isPosition, kAudiences, nameIn, nameOf, nameOfAudience,
  positionOf} from './messages.js';
import {Hub, unplain} from './shared_hub.js';
import {onWaking} from './waking.js';

// The file that this code is in. As a SharedWorker it has the hub of the tabs.
const kScript = {url: import.meta.url, type: 'module'};
// Changes with the messages between tab and worker: pages of different versions of this file may be open.
const kWorkerName = 'stormo.shared.3';

export function serveTabsInSharedWorker() {
  const {SharedWorkerGlobalScope, name} = globalThis;
  if (!SharedWorkerGlobalScope || !name?.startsWith(kWorkerName)) return;
  // Held until the worker ends, for whatever reason: the tabs wait for it.
  const lock = uniqueName('hub');
  const held = new Promise(hold => void navigator.locks.request(lock, () => {
    hold();
    return new Promise(() => {});
  }));
  const hub = new Hub(globalThis.WebSocket, lock);
  globalThis.onconnect = ({ports: [port]}) => void held.then(() => hub.attach(port));
}

const uniqueName = what => `${kWorkerName}.${what}.${Date.now()}.${Math.random()}`;

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
  #script;
  #worker;  // undefined: the hub is in this tab
  #port;
  #isHeard = false;  // the hub has answered
  #unheard = [];  // messages until then: a hub that does not answer must not send them later
  #unlock;  // ends this tab's lock, once it has it
  #fallback;  // the timer until the hub must have answered
  #stopWaking;
  #state = 'connecting';
  #url;
  #admission = {};
  #lastId = 0;
  #calls = new Map();  // by id, calls without a reply: {resolve, reject, message}
  // By name: {name, membership, epoch, offset, joining, alsoMembership}. `joining` is a promise. If the backend has joined it
  // meanwhile, messages of that membership count, too.
  #groups = new Map();
  #declined = new Set();
  #ending = new AbortController();  // of what waits until the worker ends

  constructor(urls, options, script) {
    const {WebSocket, shared, token, getToken, user, all, joinsByItself, ...others} = options;
    this.#options = options;
    this.#script = script;
    const lock = uniqueName('tab');
    this.#hello = {kind: 'hello', urls: urls.map(url => new URL(url, globalThis.location.href).href), options: others,
      token, canAsk: getToken !== undefined, lock};
    [this.#url] = this.#hello.urls;
    void navigator.locks.request(lock, () => new Promise(unlock => {
      this.#unlock = unlock;
      if (this.#state === 'closed') unlock();
      else this.#port.postMessage(this.#hello);
    }));
    this.#attach();
    this.#stopWaking = onWaking(() => this.#post({kind: 'wake'}));
  }

  get state() { return this.#state; }
  get url() { return this.#url; }
  get id() { return this.#admission.id; }
  get user() { return this.#admission.user; }
  get info() { return this.#admission.info; }
  get groups() { return this.#admission.groups; }
  get expires() { return this.#admission.expires; }

  on(name, handler) { return this.#events.on(name, handler); }

  async join(target, position) {
    const name = nameOf(target);
    const known = this.#groups.get(name);
    if (known) return known.joining ?? positionOf(known);
    this.#declined.delete(name);
    return this.#join(name, position ? positionOf(position) : undefined);
  }

  async leave(target) {
    const name = nameOf(target);
    const known = this.#groups.get(name);
    if (this.#state === 'closed') throw closedError();
    if (!known) throw notJoinedError(addressOf(name));
    this.#groups.delete(name);
    this.#decline(name);
    this.#calls.get(known.membership)?.reject(leftError(addressOf(name)));
    this.#calls.delete(known.membership);
    return this.#call('leave', name);
  }

  // The worker gets a copy of what JSON.stringify makes of the message.
  async send(group, message) {
    const json = typeof message === 'string' ? undefined : JSON.stringify(message);
    return this.#call('send', groupOf(group), json === undefined ? message : JSON.parse(json));
  }

  async ping() { return this.#call('ping'); }

  async whoami() {
    const me = await this.#call('whoami');
    this.#admission.id = me.id;
    return me;
  }

  async refresh() {
    if (!this.#hello.canAsk) throw new StormoError('token_failed', 'there is no getToken to ask');
    return this.#call('refresh');
  }

  position(target) {
    const known = this.#groups.get(nameOf(target));
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
    this.#ending.abort();
    for (const {reject} of this.#calls.values()) reject(closedError());
    this.#calls.clear();
    this.#groups.clear();
    this.#events.emit('close', event);
  }

  // --- The port ---

  #attach() {
    try {
      const worker = this.#worker = new SharedWorker(this.#script, {type: kScript.type,
        name: `${kWorkerName} ${this.#hello.urls} ${this.#options.shared.name ?? ''}`});
      worker.onerror = () => worker === this.#worker && this.#useOwnHub();
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
    this.#worker = undefined;
    const {port1, port2} = new MessageChannel();
    new Hub(this.#options.WebSocket).attach(port2);
    this.#use(port1);
  }

  #use(port) {
    this.#port = port;
    port.onmessage = ({data}) => this.#onMessage(data);
    if (this.#unlock) port.postMessage(this.#hello);
  }

  // The hub's lock is free when its worker has ended, which nothing else reports. All tabs make another one.
  async #untilHubEnds(lock) {
    try {
      await navigator.locks.request(lock, {signal: this.#ending.signal}, () => {});
    } catch {
      return;  // this client has closed
    }
    if (this.#state !== 'closed') this.#replaceHub();
  }

  #replaceHub() {
    this.#port.onmessage = null;
    this.#isHeard = false;
    this.#state = 'connecting';
    this.#callAgain();
    this.#events.emit('close', {code: 1006, reason: 'the shared worker has ended', retryIn: 0});
    if (this.#state !== 'closed') this.#attach();
  }

  // The hub that has ended may have sent what it had not replied to.
  #callAgain() {
    for (const {resolve, reject, message} of [...this.#calls.values()]) {
      if (message.method === 'join') continue;
      if (message.method === 'leave') resolve();
      else if (message.method === 'send') reject(new StormoError('worker_ended', 'the shared worker ended before the reply'));
      else { this.#unheard.push(message); continue; }
      this.#calls.delete(message.id);
    }
    for (const group of this.#groups.values()) {
      group.alsoMembership = undefined;
      if (group.joining) this.#unheard.push(this.#calls.get(group.membership).message);
      else this.#joinAgain(group);
    }
  }

  #joinAgain(group) {
    group.membership = this.#lastId + 1;
    this.#call('join', group.name, positionOf(group)).catch(error => {
      if (this.#groups.get(group.name) !== group) return;
      this.#groups.delete(group.name);
      this.#events.emit('error', error);
    });
  }

  #post(message) {
    if (this.#isHeard) this.#port.postMessage(message);
    else this.#unheard.push(message);
  }

  #call(method, ...args) {
    if (this.#state === 'closed') throw closedError();
    const id = ++this.#lastId;
    const message = {kind: 'call', id, method, args};
    const reply = new Promise((resolve, reject) => this.#calls.set(id, {resolve, reject, message}));
    reply.catch(() => {});
    this.#post(message);
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
    if (message.kind === 'state') return void this.#setState(message);
    if (message.kind === 'ask') return void this.#giveToken(message.id);
    if (message.kind === 'reply') return this.#onReply(message);
    this.#onEvent(message);
  }

  #setState({state, url}) {
    this.#state = state;
    this.#url = url;
  }

  #onHello({state, url, admission, lock}) {
    this.#isHeard = true;
    if (lock) void this.#untilHubEnds(lock);
    clearTimeout(this.#fallback);
    for (const unheard of this.#unheard.splice(0)) this.#port.postMessage(unheard);
    this.#setState({state, url});
    if (state === 'open') this.#events.emit('open');
    if (admission.user !== undefined) this.#onWelcome(admission);
    else this.#admission = admission;
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
    if (name === 'info') this.#admission.info = event.info;
    if (name === 'joined') return this.#onJoinedByBackend(event, membership);
    if (name === 'error') {
      if (isLeft) this.#groups.delete(nameIn(event));
      return this.#events.emit('error', unplain(event));
    }
    if (membership !== undefined) {
      const group = this.#groups.get(nameIn(event));
      if (group?.membership !== membership && group?.alsoMembership !== membership) return;  // sent before the group was left
      if (name === 'left') this.#endMembership(group);
      else if (name !== 'missed') Object.assign(group, event.epoch === undefined ? {offset: event.offset} : positionOf(event));
    }
    this.#events.emit(name, event);
  }

  #onJoinedByBackend(event, membership) {
    const {group: name} = event;
    const known = this.#groups.get(name);
    this.#declined.delete(name);
    if (!known) this.#groups.set(name, {name, membership, ...positionOf(event)});
    else if (known.membership !== membership && !isPosition(known)) known.alsoMembership = membership;
    this.#events.emit('joined', event);
  }

  #endMembership({name, membership}) {
    this.#groups.delete(name);
    this.#decline(name);
    this.#calls.get(membership)?.reject(leftError(addressOf(name)));
    this.#calls.delete(membership);
  }

  #onWelcome(admission) {
    this.#admission = admission;
    const audiences = admission.id === undefined ? [] : kAudiences.filter(to => this.#options[to] !== false);
    for (const name of [...admission.groups, ...audiences.map(nameOfAudience)]) {
      if (this.#groups.has(name) || this.#declined.has(name)) continue;
      const position = isAudience(name) && this.#options[addressOf(name).to];
      this.#join(name, position?.epoch === undefined ? undefined : positionOf(position))
        .catch(error => error.code !== 'left' && error.code !== 'closed' && this.#events.emit('error', error));
    }
    this.#events.emit('welcome', {...admission});
  }

  #decline(name) {
    if (isAudience(name) || this.#admission.groups?.includes(name)) this.#declined.add(name);
  }
}
