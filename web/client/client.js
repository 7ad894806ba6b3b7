import {StormoError, closedError, errorOf, leftError, malformed, notJoinedError} from './errors.js';
import {Events} from './events.js';
import {Link} from './link.js';
import {bytesOf, drawSession, isAdmission, isEvent, isPosition, isReply, nameOf, positionOf} from './messages.js';
import {Tokens} from './tokens.js';

// A client with its own connection. On each new one it joins its groups at their last position, and resends requests
// without a reply.
export class Client {
  #events = new Events();
  #options;
  #tokens;
  #link;
  #state = 'connecting';
  #admission = {};  // what the server has stated of the token, on this connection
  #renewals = 0;  // failed renewals in a row
  #renewTimer;
  #session = drawSession();
  #lastId = 0;
  // By name, joined groups and groups to be joined: {name, epoch, offset, joining, refused}. With `refused`, {token},
  // the server has refused to join it again with that token.
  #groups = new Map();
  #declined = new Set();  // groups of tokens that were left
  #unanswered = new Map();  // by id, sends and pings without a reply, in order: {text, waiting}
  #leaving = new Map();  // by name of group, promises of leaves without a reply on this connection
  #replies = new Map();  // by id, the handler of the reply on this connection
  #pending = new Set();  // all unsettled promises of the caller

  constructor(url, options, tokens = new Tokens(options)) {
    if (!options.WebSocket) throw new TypeError('there is no global WebSocket here: give one as an option');
    this.#options = options;
    this.#tokens = tokens;
    this.#link = new Link(url, options, tokens, {
      changed: state => this.#changed(state),
      opened: () => this.#opened(),
      received: data => this.#receive(data),
      ping: () => this.#request({cmd: 'ping'}, () => {}),
      lost: code => this.#lost(code),
      ended: () => this.#ended(),
      emit: (name, event) => this.#events.emit(name, event),
    });
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
    if (known && !known.refused) return known.joining ? known.joining.promise : positionOf(known);
    const {epoch, offset} = position ?? known ?? {};
    const wanted = {name, epoch, offset, joining: this.#wait()};
    this.#declined.delete(name);
    this.#groups.set(name, wanted);
    this.#sendJoin(wanted);
    return wanted.joining.promise;
  }

  async leave(group) {
    const name = nameOf(group);
    const known = this.#groups.get(name);
    if (this.#state === 'closed') throw closedError();
    if (!known) throw notJoinedError(name);
    const left = known.refused ? undefined : this.#sendLeave(name);
    this.#groups.delete(name);
    if (this.#admission.groups?.includes(name)) this.#declined.add(name);
    known.joining?.reject(leftError(name));
    return left;
  }

  async send(group, message) {
    return this.#sendUntilReply({cmd: 'send', group: nameOf(group), message});
  }

  async ping() {
    return this.#sendUntilReply({cmd: 'ping'});
  }

  position(group) {
    const known = this.#groups.get(nameOf(group));
    return known?.epoch === undefined ? undefined : positionOf(known);
  }

  close() { this.#link.end(1000, ''); }

  // As if the page had woken up.
  wake() { this.#link.wake(); }

  // A promise for the caller, with its resolve and reject. close() rejects it if nothing else settles it.
  #wait() {
    if (this.#state === 'closed') throw closedError();
    if (this.#pending.size >= this.#options.maxPending) {
      throw new StormoError('too_many_pending', `${this.#pending.size} requests are pending already`);
    }
    const waiting = {};
    const settled = () => this.#pending.delete(waiting);
    waiting.promise = new Promise((resolve, reject) => Object.assign(waiting, {resolve, reject}));
    waiting.promise.then(settled, settled);
    this.#pending.add(waiting);
    return waiting;
  }

  // --- The connection ---

  #changed(state) {
    this.#state = state;
    clearTimeout(this.#renewTimer);
    this.#options.onState?.(state);
  }

  #opened() {
    this.#admission = {};
    this.#renewals = 0;
    // The token, and the session before its sends, and resent messages before those that handlers of 'open' send.
    if (this.#tokens.current && !this.#tokens.isInHandshake) this.#sendToken();
    this.#request({cmd: 'session', session: this.#session}, reply => {
      if (!reply.ok) throw malformed(`the session was rejected: ${reply.error.code}`);
      this.#link.succeeded();
    });
    for (const group of this.#groups.values()) this.#sendJoin(group);
    for (const id of this.#unanswered.keys()) this.#resend(id);
    this.#events.emit('open');
  }

  #lost(code) {
    this.#replies.clear();
    for (const waiting of this.#leaving.values()) waiting.resolve();  // a lost connection has left its groups
    this.#leaving.clear();
    if (code === 1009) this.#dropLargestSend();
  }

  #ended() {
    for (const waiting of this.#pending) waiting.reject(closedError());
    for (const known of [this.#groups, this.#unanswered, this.#leaving, this.#replies]) known.clear();
  }

  // 1009 reports that a message is over the server's limit, but not which one. It is one of those without a reply, so the
  // largest of these is over the limit, too. If it were kept, it would be resent on each connection.
  #dropLargestSend() {
    const encoder = new TextEncoder();
    let largest = {bytes: 0};
    for (const [id, {text, waiting}] of this.#unanswered) {
      const bytes = encoder.encode(text).length;
      if (bytes > largest.bytes) largest = {bytes, id, waiting};
    }
    this.#unanswered.delete(largest.id);
    largest.waiting?.reject(new StormoError('too_big', 'the message is larger than the server accepts'));
  }

  // --- The token ---

  #admit({user, groups, expires}) {
    this.#renewals = 0;
    this.#tokens.accepted(expires);
    this.#admission = {user, groups, expires, info: this.#tokens.info};
    for (const group of this.#groups.values()) if (group.refused) this.#sendJoin(group);
    if (this.#options.joinsGroupsOfToken) this.#joinGroups(groups);
    this.#events.emit('welcome', {...this.#admission});
  }

  #joinGroups(names) {
    for (const name of names) {
      if (this.#groups.has(name) || this.#declined.has(name)) continue;
      const group = {name};
      this.#groups.set(name, group);
      this.#sendJoin(group);
    }
  }

  async #renew() {
    try {
      await this.#tokens.ask();
      if (this.#state === 'open' && this.#tokens.current) this.#sendToken();
    } catch (error) {
      this.#events.emit('error', error);
      this.#renewLater();
    }
  }

  #renewLater() {
    if (this.#state !== 'open') return;  // the next connection asks for a token
    clearTimeout(this.#renewTimer);
    this.#renewTimer = setTimeout(() => void this.#renew(), this.#link.pauseAfter(this.#renewals++));
  }

  #sendToken() {
    this.#request({cmd: 'refresh', token: this.#tokens.current}, reply => {
      if (reply.ok) {
        if (!isAdmission(reply)) throw malformed('a reply to a refresh has no user or groups');
        return this.#admit(reply);
      }
      if (!this.#tokens.refuse()) return this.#link.refused(reply.error.message);
      this.#events.emit('error', errorOf(reply));
      this.#renewLater();
    });
  }

  // --- Sending. Only #sendJoin, #sendLeave and #sendUntilReply may be called without an open connection. ---

  #request(fields, onReply) {
    const id = ++this.#lastId;
    this.#sendRequest(id, JSON.stringify({id, ...fields}), onReply);
  }

  #sendRequest(id, text, onReply) {
    this.#replies.set(id, onReply);
    this.#link.send(text);
  }

  // Has no effect while it must wait for a connection, for another token, or for the reply to a leave of the group:
  // messages before that reply belong to the former membership, and are dropped.
  #sendJoin(group) {
    if (this.#state !== 'open' || this.#leaving.has(group.name)) return;
    if (group.refused && group.refused.token === this.#tokens.current) return;
    group.refused = undefined;
    const {name, epoch, offset} = group;
    this.#request({cmd: 'join', group: name, epoch, offset}, reply => this.#onJoinReply(group, reply));
  }

  #onJoinReply(group, reply) {
    if (this.#groups.get(group.name) !== group) return;  // left since
    const {joining} = group;
    if (!reply.ok) {
      const isLost = reply.error.code === 'forbidden' && !joining && group.epoch !== undefined;
      if (isLost) group.refused = {token: this.#tokens.current};
      else this.#groups.delete(group.name);
      const error = errorOf(reply, group.name);
      return joining ? joining.reject(error) : this.#events.emit('error', error);
    }
    if (!isPosition(reply)) throw malformed('a reply to a join has no position');
    Object.assign(group, positionOf(reply), {joining: undefined});
    const {recovered} = reply;
    joining?.resolve(recovered === undefined ? positionOf(group) : {...positionOf(group), recovered});
    if (recovered === false) this.#events.emit('gap', {group: group.name, ...positionOf(group)});
  }

  #sendLeave(name) {
    if (this.#state !== 'open') return undefined;  // without a connection the client is in no group
    if (this.#leaving.has(name)) return this.#leaving.get(name).promise;
    const waiting = this.#wait();
    this.#leaving.set(name, waiting);
    this.#request({cmd: 'leave', group: name}, reply => {
      reply.ok ? waiting.resolve() : waiting.reject(errorOf(reply, name));
      this.#leaving.delete(name);
      const joinedAgain = this.#groups.get(name);
      if (joinedAgain) this.#sendJoin(joinedAgain);
    });
    return waiting.promise;
  }

  // Sent on each connection, with the same id, until it has a reply.
  #sendUntilReply(fields) {
    const id = ++this.#lastId;
    const text = JSON.stringify({id, ...fields});  // now: the caller may change the object before it is sent or resent
    const waiting = this.#wait();
    this.#unanswered.set(id, {text, waiting});
    if (this.#state === 'open') this.#resend(id);
    return waiting.promise;
  }

  #resend(id) {
    const {text, waiting} = this.#unanswered.get(id);
    this.#sendRequest(id, text, reply => {
      this.#unanswered.delete(id);
      reply.ok ? waiting.resolve() : waiting.reject(errorOf(reply));
    });
  }

  // --- Receiving ---

  #receive(data) {
    try {
      const received = typeof data === 'string' && JSON.parse(data);
      if (isReply(received)) this.#onReply(received);
      else if (isEvent(received)) this.#onEvent(received);
      else throw malformed('a message of the server is neither an event nor a reply');
    } catch (error) {  // JSON.parse() and atob() throw errors of their own
      const problem = error instanceof StormoError ? error : malformed(`invalid message of the server: ${error.message}`);
      this.#events.emit('error', problem);
      if (this.#state === 'open') this.#link.lose(1002, problem.message);
    }
  }

  #onReply(reply) {
    if (reply.id === null && !reply.ok) return this.#events.emit('error', errorOf(reply));
    const onReply = this.#replies.get(reply.id);
    if (!onReply) throw malformed('a reply has the id of no pending request');
    this.#replies.delete(reply.id);
    onReply(reply);
  }

  #onEvent(event) {
    if (event.event === 'welcome') return this.#admit(event);
    if (event.event === 'expiring') {
      if (this.#tokens.canAsk) void this.#renew();
      return this.#events.emit('expiring', {seconds: event.seconds});
    }
    this.#onGroupEvent(event);
  }

  #onGroupEvent({event, group: name, offset, message, binary, count}) {
    const group = this.#groups.get(name);
    if (!group || this.#leaving.has(name)) return;  // sent before the group was left
    if (event === 'missed') return this.#events.emit('missed', {group: name, count, ...positionOf(group)});
    if (event !== 'message') return;
    const content = message ?? bytesOf(binary);
    group.offset = offset;
    this.#events.emit('message', {group: name, message: content, offset});
  }
}
