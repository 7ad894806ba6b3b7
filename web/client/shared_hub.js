import {Client} from './client.js';
import {StormoError, closedError, leftError} from './errors.js';
import {addressOf, nameIn, targetOf} from './messages.js';
import {Tokens} from './tokens.js';

const kEventsOfAll = ['open', 'welcome', 'info', 'expiring', 'close'];
const kEventsOfGroups = ['message', 'missed', 'gap'];

// The one connection of all tabs of an origin, in a SharedWorker. Each tab has a port (shared_tab.js). A group is joined
// while a tab is a member of it.
export class Hub {
  #WebSocket;
  #tabs = new Set();  // in the order in which they came: {port, canAsk, asked, replay}
  #groups = new Map();  // by name, the members: Map of tab to {membership, held, skip}
  #urls;
  #options;
  #tokens;
  #client;
  #lastAsk = 0;
  #lastMembership = 0;  // negative: those that the hub begins, for the backend
  #lock;

  // `lock` is the name of a Web Lock that ends with the hub, if the tabs can live longer than it.
  constructor(WebSocket = globalThis.WebSocket, lock = undefined) {
    this.#WebSocket = WebSocket;
    this.#lock = lock;
  }

  attach(port) {
    const tab = {port, asked: new Map()};
    port.onmessage = ({data}) => this.#onMessage(tab, data);
  }

  #onMessage(tab, message) {
    if (message.kind === 'hello') return this.#welcomeTab(tab, message);
    if (!this.#tabs.has(tab)) return;  // it has closed
    if (message.kind === 'call') return void this.#onCall(tab, message);
    if (message.kind === 'token') return this.#onToken(tab, message);
    if (message.kind === 'wake') return this.#client?.wake();
    if (message.kind === 'bye') this.#removeTab(tab);
  }

  #welcomeTab(tab, {urls, options, token, canAsk, lock}) {
    tab.canAsk = canAsk;
    this.#tabs.add(tab);
    // The tab holds the lock for as long as it lives, however it ends.
    void navigator.locks.request(lock, () => this.#removeTab(tab));
    if (!this.#client) this.#open(urls, options, token);
    const {state, url, id, user, info, expires, groups} = this.#client;
    tab.port.postMessage({kind: 'hello', state, url, admission: {id, user, info, expires, groups}, lock: this.#lock});
  }

  #open(urls, options, token) {
    const canAsk = [...this.#tabs].some(tab => tab.canAsk);
    this.#urls = urls;
    this.#options = {...options, WebSocket: this.#WebSocket};
    this.#tokens = new Tokens({token, getToken: canAsk ? () => this.#askATab() : undefined});
    const client = this.#client = new Client(urls,
      {...this.#options, onState: (state, url) => this.#postToAll({kind: 'state', state, url})}, this.#tokens);
    for (const name of kEventsOfAll) client.on(name, event => this.#postToAll({kind: 'event', name, event}));
    for (const name of kEventsOfGroups) client.on(name, event => this.#onGroupEvent(name, event));
    client.on('joined', event => this.#onJoinedByBackend(event));
    client.on('left', event => this.#onLeftByBackend(event));
    client.on('error', error => this.#onError(error));
    client.on('close', ({retryIn}) => retryIn === null && this.#onEnd(client));
  }

  // The next tab makes another client.
  #onEnd(client) {
    if (client !== this.#client) return;
    this.#client = undefined;
    for (const tab of [...this.#tabs]) this.#removeTab(tab);
  }

  #removeTab(tab) {
    if (!this.#tabs.delete(tab)) return;
    tab.replay?.close();
    for (const name of [...this.#groups.keys()]) this.#leave(tab, name)?.catch(() => {});
    for (const give of tab.asked.values()) give(this.#askATab());
    if (this.#tabs.size > 0) return;
    const client = this.#client;
    this.#client = undefined;
    client?.close();
  }

  #postToAll(message) {
    for (const tab of this.#tabs) tab.port.postMessage(message);
  }

  // --- Tokens ---

  // The newest tab: it is the least likely to be frozen. If it closes before it answers, the next one is asked.
  async #askATab() {
    const tab = [...this.#tabs].reverse().find(({canAsk}) => canAsk);
    if (!tab) throw new Error('no tab with getToken is open');
    return new Promise(give => {
      const id = ++this.#lastAsk;
      tab.asked.set(id, give);
      tab.port.postMessage({kind: 'ask', id});
    });
  }

  #onToken(tab, {id, token, error}) {
    tab.asked.get(id)?.(error === undefined ? token : Promise.reject(new Error(error)));
    tab.asked.delete(id);
  }

  // --- Calls ---

  async #onCall(tab, {id, method, args}) {
    try {
      tab.port.postMessage({kind: 'reply', id, value: await this.#call(tab, id, method, args)});
    } catch (error) {
      tab.port.postMessage({kind: 'reply', id, error: plain(error)});
    }
  }

  #call(tab, id, method, args) {
    if (!this.#client) throw closedError();
    if (method === 'join') return this.#join(tab, id, ...args);
    if (method === 'leave') return this.#leave(tab, ...args);
    return this.#client[method](...args);
  }

  // `held`: events that wait for the end of the tab's join, or null. `skip`: the last offset of its replay.
  async #join(tab, membership, name, position) {
    const members = this.#groups.get(name) ?? new Map();
    const isFirst = members.size === 0;
    const member = {membership, held: isFirst ? null : [], skip: 0};
    this.#groups.set(name, members.set(tab, member));
    try {
      const joined = await this.#client.join(targetOf(name), isFirst ? position : undefined);
      if (isFirst) return joined;
      this.#checkMember(tab, name, member);
      const now = this.#client.position(targetOf(name));
      if (position && (position.epoch !== now.epoch || position.offset !== now.offset)) {
        return await this.#replay(tab, name, member, position);
      }
      member.held = null;  // what was held is older than `now`
      return position ? {...now, recovered: true} : now;
    } catch (error) {
      if (members.get(tab) === member) this.#remove(tab, name, members)?.catch(() => {});
      throw error;
    }
  }

  // The shared connection is a member already, so the server replays on another one, which only this tab needs, and only
  // until it has its messages.
  async #replay(tab, name, member, position) {
    const replay = tab.replay ??= this.#replayClient(tab);
    replay.names.add(name);
    try {
      const joined = await replay.join(targetOf(name), position);
      this.#checkMember(tab, name, member);
      if (joined.recovered) member.skip = joined.offset;
      else this.#post(tab, 'gap', {...addressOf(name), epoch: joined.epoch, offset: joined.offset}, member);
      const {held} = member;
      member.held = null;
      const now = this.#client.position(targetOf(name));
      if (now.epoch === joined.epoch) {
        for (const [event, argument] of held) this.#deliver(tab, event, argument, member);
        return joined;
      }
      member.skip = 0;  // the shared connection has joined in another epoch than the replay
      this.#post(tab, 'gap', {...addressOf(name), ...now}, member);
      return {...now, recovered: false};
    } finally {
      replay.names.delete(name);
      if (replay.names.size === 0 && tab.replay === replay) {
        tab.replay = undefined;
        replay.close();
      }
    }
  }

  #replayClient(tab) {
    const client = new Client(this.#urls, this.#options, this.#tokens);
    client.names = new Set();  // that it was to join: the backend lets all clients of a user join, and so this one
    client.on('message', event => {
      const member = client.names.has(nameIn(event)) && this.#groups.get(nameIn(event))?.get(tab);
      if (member?.held) this.#post(tab, 'message', event, member);
    });
    return client;
  }

  #checkMember(tab, name, member) {
    if (this.#groups.get(name)?.get(tab) !== member) throw leftError(addressOf(name));
  }

  #leave(tab, name) {
    const members = this.#groups.get(name);
    const member = members?.get(tab);
    if (!member) return undefined;
    if (member.held) tab.replay?.leave(targetOf(name)).catch(() => {});
    return this.#remove(tab, name, members);
  }

  #remove(tab, name, members) {
    members.delete(tab);
    if (members.size > 0 || this.#groups.get(name) !== members) return undefined;
    this.#groups.delete(name);
    return this.#client?.leave(targetOf(name)).catch(error => { if (error.code !== 'not_joined') throw error; });
  }

  // --- Events ---

  #onGroupEvent(name, event) {
    if (event.to === 'client') return this.#postToAll({kind: 'event', name, event});
    for (const [tab, member] of this.#groups.get(nameIn(event)) ?? []) {
      if (member.held) member.held.push([name, event]);
      else this.#deliver(tab, name, event, member);
    }
  }

  // Offsets are 0 if the Channel numbers no messages; then nothing is replayed.
  #deliver(tab, name, event, member) {
    if (name === 'gap') member.skip = 0;
    if (name === 'message' && event.offset !== 0 && event.offset <= member.skip) return;
    this.#post(tab, name, event, member);
  }

  #post(tab, name, event, {membership}) {
    tab.port.postMessage({kind: 'event', name, event, membership});
  }

  // All tabs become members. A tab that waits for its own join has its messages with that.
  #onJoinedByBackend(event) {
    const members = this.#groups.get(event.group) ?? new Map();
    this.#groups.set(event.group, members);
    for (const tab of this.#tabs) {
      // The messages until the position may come, for a tab that joins at an earlier one.
      if (!members.has(tab)) members.set(tab, {membership: --this.#lastMembership, held: null, skip: event.offset});
      this.#post(tab, 'joined', event, members.get(tab));
    }
  }

  #onLeftByBackend(event) {
    const name = nameIn(event);
    for (const [tab, member] of this.#groups.get(name) ?? []) this.#post(tab, 'left', event, member);
    this.#groups.delete(name);
  }

  // An error of a group ends the memberships of its tabs, unless the client waits for another token to join it again.
  #onError(error) {
    const name = nameIn(error);
    const message = {kind: 'event', name: 'error', event: plain(error)};
    if (name === undefined) return this.#postToAll(message);
    const isLeft = this.#client.position(targetOf(name)) === undefined;
    for (const tab of this.#groups.get(name)?.keys() ?? []) tab.port.postMessage({...message, isLeft});
    if (isLeft) this.#groups.delete(name);
  }
}

// As a message to a tab, which would not keep the class of an error.
export const plain = ({code, message, group, to}) => ({code, message, group, to});
export const unplain = ({code, message, ...address}) => new StormoError(code, message, address);
