import {Client} from './client.js';
import {StormoError, closedError, leftError} from './errors.js';
import {Tokens} from './tokens.js';

const kEventsOfAll = ['open', 'welcome', 'expiring', 'close'];
const kEventsOfGroups = ['message', 'missed', 'gap'];

// The one connection of all tabs of an origin, in a SharedWorker. Each tab has a port (shared_tab.js). A group is joined
// while a tab is a member of it.
export class Hub {
  #WebSocket;
  #tabs = new Set();  // in the order in which they came: {port, canAsk, asked, replay}
  #groups = new Map();  // by name, the members: Map of tab to {membership, held, skip}
  #url;
  #options;
  #tokens;
  #client;
  #lastAsk = 0;

  constructor(WebSocket = globalThis.WebSocket) { this.#WebSocket = WebSocket; }

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

  #welcomeTab(tab, {url, options, token, canAsk, lock}) {
    tab.canAsk = canAsk;
    this.#tabs.add(tab);
    // The tab holds the lock for as long as it lives, however it ends.
    void navigator.locks.request(lock, () => this.#removeTab(tab));
    if (!this.#client) this.#open(url, options, token);
    const {state, user, info, expires, groups} = this.#client;
    tab.port.postMessage({kind: 'hello', state, admission: {user, info, expires, groups}});
  }

  #open(url, options, token) {
    const canAsk = [...this.#tabs].some(tab => tab.canAsk);
    this.#url = url;
    this.#options = {...options, WebSocket: this.#WebSocket};
    this.#tokens = new Tokens({token, getToken: canAsk ? () => this.#askATab() : undefined});
    const client = this.#client = new Client(url,
      {...this.#options, onState: state => this.#postToAll({kind: 'state', state})}, this.#tokens);
    for (const name of kEventsOfAll) client.on(name, event => this.#postToAll({kind: 'event', name, event}));
    for (const name of kEventsOfGroups) client.on(name, event => this.#onGroupEvent(name, event));
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
      const joined = await this.#client.join(name, isFirst ? position : undefined);
      if (isFirst) return joined;
      this.#checkMember(tab, name, member);
      const now = this.#client.position(name);
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
    ++replay.uses;
    try {
      const joined = await replay.join(name, position);
      this.#checkMember(tab, name, member);
      if (joined.recovered) member.skip = joined.offset;
      else this.#post(tab, 'gap', {group: name, epoch: joined.epoch, offset: joined.offset}, member);
      const {held} = member;
      member.held = null;
      const now = this.#client.position(name);
      if (now.epoch === joined.epoch) {
        for (const [event, argument] of held) this.#deliver(tab, event, argument, member);
        return joined;
      }
      member.skip = 0;  // the shared connection has joined in another epoch than the replay
      this.#post(tab, 'gap', {group: name, ...now}, member);
      return {...now, recovered: false};
    } finally {
      if (--replay.uses === 0 && tab.replay === replay) {
        tab.replay = undefined;
        replay.close();
      }
    }
  }

  #replayClient(tab) {
    const client = new Client(this.#url, this.#options, this.#tokens);
    client.uses = 0;
    client.on('message', event => {
      const member = this.#groups.get(event.group)?.get(tab);
      if (member?.held) this.#post(tab, 'message', event, member);
    });
    return client;
  }

  #checkMember(tab, name, member) {
    if (this.#groups.get(name)?.get(tab) !== member) throw leftError(name);
  }

  #leave(tab, name) {
    const members = this.#groups.get(name);
    const member = members?.get(tab);
    if (!member) return undefined;
    if (member.held) tab.replay?.leave(name).catch(() => {});
    return this.#remove(tab, name, members);
  }

  #remove(tab, name, members) {
    members.delete(tab);
    if (members.size > 0 || this.#groups.get(name) !== members) return undefined;
    this.#groups.delete(name);
    return this.#client?.leave(name).catch(error => { if (error.code !== 'not_joined') throw error; });
  }

  // --- Events ---

  #onGroupEvent(name, event) {
    for (const [tab, member] of this.#groups.get(event.group) ?? []) {
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

  // An error of a group ends the memberships of its tabs, unless the client waits for another token to join it again.
  #onError(error) {
    const {group} = error;
    const message = {kind: 'event', name: 'error', event: plain(error)};
    if (group === undefined) return this.#postToAll(message);
    const isLeft = this.#client.position(group) === undefined;
    for (const tab of this.#groups.get(group)?.keys() ?? []) tab.port.postMessage({...message, isLeft});
    if (isLeft) this.#groups.delete(group);
  }
}

// As a message to a tab, which would not keep the class of an error.
export const plain = ({code, message, group}) => ({code, message, group});
export const unplain = ({code, message, group}) => new StormoError(code, message, group);
