import {StormoError, closedError, errorOf, leftError, malformed, notJoinedError} from './errors.js';
import {Events} from './events.js';
import {Link} from './link.js';
import {addressOf, bytesOf, drawSession, groupOf, isAudience, isEvent, isPosition, isReply, kAudiences, nameIn, nameOf,
  nameOfAudience, positionOf} from './messages.js';
import {Renewal} from './renewal.js';
import {Tokens} from './tokens.js';

// A client with its own connection. On each new one it joins its groups at their last position, and resends requests
// without a reply.
export class Client {
  #events = new Events();
  #options;
  #tokens;
  #link;
  #renewal;
  #state = 'connecting';
  #url;
  #admission = {};  // what the server has stated of the client and its token, on this connection
  #infoOfBackend;  // on this connection, {info} that is in the place of the token's
  #session = drawSession();
  #lastId = 0;
  // By name, joined groups and groups to be joined; "group" also stands for the user and for everybody.
  //   name, epoch, offset
  //   joining: the promise of the page, until it is settled
  //   isRequested: its join has no reply yet
  //   refused: {token}, with which the server has refused to join it again
  //   isOfBackend: the backend has joined it, so a token need not allow that
  //   isAdopted, isHidden: the backend has joined it before the server received the join, which will be answered with
  //     already_joined. Then the group is a member as it is; or, if the join has a position, the client joins once more, and
  //     until then hides messages, because they come again.
  #groups = new Map();
  #declined = new Set();  // names that a token would join again, but which were left
  #unanswered = new Map();  // by id, sends and pings without a reply, in order: {text, waiting}
  #leaving = new Map();  // by name of group, promises of leaves without a reply on this connection
  #replies = new Map();  // by id, the handler of the reply on this connection
  #pending = new Set();  // all unsettled promises of the caller

  constructor(urls, options, tokens = new Tokens(options)) {
    if (!options.WebSocket) throw new TypeError('there is no global WebSocket here: give one as an option');
    this.#options = options;
    this.#tokens = tokens;
    this.#renewal = new Renewal(tokens, {
      isOpen: () => this.#state === 'open',
      request: (fields, onReply) => this.#request(fields, onReply),
      admitted: (reply, token) => this.#admit(reply, token),
      pauseAfter: failures => this.#link.pauseAfter(failures),
      refused: reason => this.#link.refused(reason),
      failed: error => this.#events.emit('error', error),
    });
    this.#link = new Link(urls, options, tokens, {
      changed: (state, url) => this.#changed(state, url),
      opened: () => this.#opened(),
      received: data => this.#receive(data),
      ping: () => this.#request({cmd: 'ping'}, () => {}),
      lost: code => this.#lost(code),
      ended: () => this.#ended(),
      emit: (name, event) => this.#events.emit(name, event),
    });
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
    if (known && !known.refused) return known.joining ? known.joining.promise : positionOf(known);
    const {epoch, offset} = position ?? known ?? {};
    const wanted = {name, epoch, offset, joining: this.#wait()};
    this.#declined.delete(name);
    this.#groups.set(name, wanted);
    this.#sendJoin(wanted);
    return wanted.joining.promise;
  }

  async leave(target) {
    const name = nameOf(target);
    const known = this.#groups.get(name);
    if (this.#state === 'closed') throw closedError();
    if (!known) throw notJoinedError(addressOf(name));
    const left = known.refused ? undefined : this.#sendLeave(name);
    this.#groups.delete(name);
    this.#decline(name);
    known.joining?.reject(leftError(addressOf(name)));
    return left;
  }

  async send(group, message) {
    return this.#sendUntilReply({cmd: 'send', group: groupOf(group), message});
  }

  async ping() {
    return this.#sendUntilReply({cmd: 'ping'});
  }

  // The id of this connection's client, and its user if there is one: also without a token.
  async whoami() {
    return this.#sendUntilReply({cmd: 'whoami'}, ({client: id, user}) => {
      if (typeof id !== 'string') throw malformed('a reply to whoami has no client');
      this.#admission.id = id;
      return user === undefined ? {id} : {id, user};
    });
  }

  async refresh() {
    const waiting = this.#wait();
    void this.#renewal.refresh(waiting);
    return waiting.promise;
  }

  position(target) {
    const known = this.#groups.get(nameOf(target));
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

  #changed(state, url) {
    this.#state = state;
    this.#url = url;
    this.#renewal.stop();
    this.#options.onState?.(state, url);
  }

  #opened() {
    this.#admission = {};
    this.#infoOfBackend = undefined;
    // The token, and the session before its sends, and resent messages before those that handlers of 'open' send.
    this.#renewal.opened(this.#link.shownToken);
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

  #admit({client: id, user, groups, expires}, token) {
    if (this.#tokens.isCurrent(token)) this.#tokens.accepted(expires);
    const {info} = this.#infoOfBackend ?? this.#tokens;
    this.#admission = {id, user, groups, expires, info};
    for (const group of this.#groups.values()) if (group.refused) this.#sendJoin(group);
    if (this.#options.joinsByItself) this.#joinByItself(id, groups);
    this.#events.emit('welcome', {...this.#admission});
    this.#renewal.admitted(token, this.#admission);
  }

  // Servers that give clients no id know of no audiences.
  #joinByItself(id, groups) {
    const audiences = id === undefined ? [] : kAudiences.filter(to => this.#options[to] !== false);
    for (const name of [...groups, ...audiences.map(nameOfAudience)]) {
      if (this.#groups.has(name) || this.#declined.has(name)) continue;
      const {epoch, offset} = (isAudience(name) && this.#options[addressOf(name).to]) || {};
      const group = {name, epoch, offset};
      this.#groups.set(name, group);
      this.#sendJoin(group);
    }
  }

  #decline(name) {
    if (isAudience(name) || this.#admission.groups?.includes(name)) this.#declined.add(name);
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
    Object.assign(group, {refused: undefined, isRequested: true, isAdopted: false, isHidden: false});
    const {name, epoch, offset} = group;
    this.#request({cmd: 'join', ...addressOf(name), epoch, offset}, reply => this.#onJoinReply(group, reply));
  }

  #onJoinReply(group, reply) {
    if (this.#groups.get(group.name) !== group) return;  // left since
    group.isRequested = false;
    if (reply.ok) return this.#onJoined(group, reply);
    if (reply.error.code === 'already_joined' && group.isHidden) return this.#joinOnceMore(group);
    if (reply.error.code === 'already_joined' && group.isAdopted) return this.#onJoined(group, group);
    const {joining} = group;
    if (reply.error.code === 'left' && !joining) return this.#endMembership(group);
    const isLost = ['forbidden', 'no_user'].includes(reply.error.code) && !joining && group.epoch !== undefined;
    if (isLost && !group.isOfBackend) group.refused = {token: this.#tokens.current};
    else this.#groups.delete(group.name);
    const error = errorOf(reply, addressOf(group.name));
    joining ? joining.reject(error) : this.#events.emit('error', error);
  }

  #onJoined(group, reply) {
    if (!isPosition(reply)) throw malformed('a reply to a join has no position');
    const {joining} = group;
    Object.assign(group, positionOf(reply), {joining: undefined, isAdopted: false});
    const {recovered} = reply;
    joining?.resolve(recovered === undefined ? positionOf(group) : {...positionOf(group), recovered});
    if (recovered === false) this.#emitGap(group);
  }

  #emitGap(group) { this.#events.emit('gap', {...addressOf(group.name), ...positionOf(group)}); }

  #joinOnceMore(group) {
    this.#request({cmd: 'leave', ...addressOf(group.name)}, () => {
      if (this.#groups.get(group.name) === group) this.#sendJoin(group);
    });
  }

  #sendLeave(name) {
    if (this.#state !== 'open') return undefined;  // without a connection the client is in no group
    if (this.#leaving.has(name)) return this.#leaving.get(name).promise;
    const waiting = this.#wait();
    this.#leaving.set(name, waiting);
    this.#request({cmd: 'leave', ...addressOf(name)}, reply => {
      const isLeft = reply.ok || reply.error.code === 'not_joined';  // the backend's command came first
      isLeft ? waiting.resolve() : waiting.reject(errorOf(reply, addressOf(name)));
      this.#leaving.delete(name);
      const joinedAgain = this.#groups.get(name);
      if (joinedAgain) this.#sendJoin(joinedAgain);
    });
    return waiting.promise;
  }

  // Sent on each connection, with the same id, until it has a reply. The promise is resolved with the result of that.
  #sendUntilReply(fields, resultOf = () => undefined) {
    const id = ++this.#lastId;
    const text = JSON.stringify({id, ...fields});  // now: the caller may change the object before it is sent or resent
    const waiting = this.#wait();
    this.#unanswered.set(id, {text, waiting, resultOf});
    if (this.#state === 'open') this.#resend(id);
    return waiting.promise;
  }

  #resend(id) {
    const {text, waiting, resultOf} = this.#unanswered.get(id);
    this.#sendRequest(id, text, reply => {
      reply.ok ? waiting.resolve(resultOf(reply)) : waiting.reject(errorOf(reply));
      this.#unanswered.delete(id);
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
    switch (event.event) {
      case 'welcome': return this.#admit(event, this.#link.shownToken);
      case 'expiring':
        this.#renewal.expiring();
        return this.#events.emit('expiring', {seconds: event.seconds});
      case 'info': return this.#onInfo(event.info ?? undefined);
      case 'joined': return this.#onJoinedByBackend(event);
      case 'left': return this.#onLeftByBackend(event);
      case 'missed':
      case 'message': return this.#onGroupEvent(event);
    }
  }

  #onInfo(info) {
    this.#infoOfBackend = {info};
    this.#admission.info = info;
    this.#events.emit('info', {info});
  }

  #onGroupEvent({event, offset, message, binary, count, ...address}) {
    const isOfClient = address.to === 'client';
    const name = nameIn(address);
    const group = this.#groups.get(name);
    if (!isOfClient && (!group || group.isHidden || this.#leaving.has(name))) return;  // sent before the group was left
    const where = isOfClient ? {to: 'client'} : addressOf(name);
    if (event === 'missed') return group && this.#events.emit('missed', {...where, count, ...positionOf(group)});
    const content = message ?? bytesOf(binary);
    if (group) group.offset = offset;
    this.#events.emit('message', {...where, message: content, offset});
  }

  // --- The backend ---

  #onJoinedByBackend({group: name, epoch, offset, recovered}) {
    if (this.#leaving.has(name)) return;  // the server receives the leave after that
    const joined = {epoch, offset, isOfBackend: true};
    const known = this.#groups.get(name);
    const isBroken = recovered === false || known?.refused;
    this.#declined.delete(name);
    if (known?.epoch !== undefined && (known.isRequested || known.isHidden)) known.isHidden = true;
    else if (known) Object.assign(known, joined, {refused: undefined, isAdopted: known.isRequested});
    else this.#groups.set(name, {name, ...joined});
    this.#events.emit('joined', {group: name, epoch, offset});
    const group = this.#groups.get(name);
    if (isBroken && group && !group.isHidden) this.#emitGap(group);
  }

  #onLeftByBackend({group: name}) {
    const group = this.#groups.get(name);
    if (!group || this.#leaving.has(name)) return;
    if (!group.isRequested) return this.#endMembership(group);
    Object.assign(group, {isAdopted: false, isHidden: false});  // the server receives the join after that
  }

  #endMembership({name, joining}) {
    this.#groups.delete(name);
    this.#decline(name);
    joining?.reject(leftError(addressOf(name)));
    this.#events.emit('left', addressOf(name));
  }
}
