// A client of the server `stormo`, for browsers and for Node. It uses stormo.v1 (docs/v1-protocol.md). README.md shows how to
// use it, stormo.d.ts states the contract of each function. make_bundle.mjs has made this file of those in client/.

// --- client/errors.js ---

class StormoError extends Error {
  constructor(code, message, group) {
    super(message);
    this.name = 'StormoError';
    this.code = code;
    if (group !== undefined) this.group = group;
  }
}

const errorOf = ({error}, group) => new StormoError(error.code, error.message ?? error.code, group);
const closedError = () => new StormoError('closed', 'the client is closed');
const leftError = group => new StormoError('left', 'the group was left before it was joined', group);
const notJoinedError = group => new StormoError('not_joined', 'the group is not joined', group);
const malformed = problem => new StormoError('protocol', problem);

// --- client/events.js ---

const kEvents = ['open', 'welcome', 'message', 'missed', 'gap', 'expiring', 'close', 'error'];

// The handlers of a client's events.
class Events {
  #handlers = new Map(kEvents.map(name => [name, new Set()]));

  on(name, handler) {
    const handlers = this.#handlers.get(name);
    if (!handlers) throw new TypeError(`there is no event '${name}', only ${kEvents.join(', ')}`);
    handlers.add(handler);
    return () => void handlers.delete(handler);
  }

  emit(name, event) {
    for (const handler of [...this.#handlers.get(name)]) {
      try {
        handler(event);
      } catch (error) {
        queueMicrotask(() => { throw error; });  // reported as uncaught, without disturbing this client
      }
    }
  }
}

// --- client/messages.js ---

// The messages of stormo.v1 (docs/v1-protocol.md).

const kProtocol = 'stormo.v1';
const kUnauthorized = 4401;  // the close code for a token that is missing, not accepted or expired

// The name as the server sends it. A lone surrogate has no UTF-8 form, and becomes U+FFFD as in WebSocket messages.
function nameOf(group) {
  if (typeof group !== 'string' && !Number.isSafeInteger(group)) {
    throw new StormoError('wrong_type', 'a group is a string or an integer');
  }
  return String(group).replace(/\p{Surrogate}/gu, '\ufffd');
}

const isReply = received =>
  received?.ok === true || (received?.ok === false && typeof received.error?.code === 'string');

// The fields of an unknown event are not checked.
function isEvent(received) {
  const {event, group, offset, message, binary, count, seconds} = received ?? {};
  if (event === 'missed') return typeof group === 'string' && Number.isSafeInteger(count);
  if (event === 'welcome') return isAdmission(received);
  if (event === 'expiring') return Number.isSafeInteger(seconds);
  if (event !== 'message') return typeof event === 'string';
  return typeof group === 'string' && Number.isSafeInteger(offset) && typeof (message ?? binary) === 'string';
}

// What the server states of a token that it has accepted, in `welcome` and in the reply to `refresh`.
const isAdmission = ({user, groups, expires}) => typeof user === 'string' && Array.isArray(groups) &&
  groups.every(group => typeof group === 'string') && (expires === undefined || Number.isSafeInteger(expires));

const isPosition = ({epoch, offset}) => typeof epoch === 'string' && Number.isSafeInteger(offset);
const positionOf = ({epoch, offset}) => ({epoch, offset});
const bytesOf = base64 => Uint8Array.from(atob(base64), character => character.charCodeAt(0));

// A session must be random, but is not a secret: a client that guesses the session of another one can make the server drop
// its messages as duplicates. Node 18 has no global crypto, and seeds Math.random well.
function drawSession() {
  const words = new Uint32Array(2);
  do {
    if (globalThis.crypto) globalThis.crypto.getRandomValues(words);
    else words.forEach((_, at) => words[at] = Math.random() * 2 ** 32);
  } while (words.every(word => word === 0));
  return Array.from(words, word => word.toString(16).padStart(8, '0')).join('');
}

// --- client/waking.js ---

// Calls `wake` when the network is available again or the page visible: the machine may have slept, and the connection be
// dead. Returns a function that ends this. Without a page, as in Node, nothing wakes up.
function onWaking(wake) {
  const {document} = globalThis;
  const sources = [[globalThis, 'online'], [globalThis, 'pageshow'], [document, 'visibilitychange']]
    .filter(([target]) => target?.addEventListener);
  const listener = ({type}) => {
    if (type !== 'visibilitychange' || document.visibilityState === 'visible') wake();
  };
  for (const [target, name] of sources) target.addEventListener(name, listener);
  return () => {
    for (const [target, name] of sources) target.removeEventListener(name, listener);
  };
}

// --- client/link.js ---

// The connection to the server: made, tested while it is silent, and made again until end().
//
// `client` has the callbacks: changed(state); opened(); received(data); ping(), which sends one; lost(code), before the
// next connection; ended(), before no other one; emit(event, argument).
class Link {
  #url;
  #options;
  #tokens;
  #client;
  #state;
  #failures = 0;  // failed connections in a row; succeeded() resets it
  #wasOpen = false;
  #isReachable = false;  // a connection without subprotocol has just succeeded
  #refusals = 0;  // failed connections with the subprotocol although the server was reachable
  #isWoken = false;  // a ping was sent because the page woke up, and nothing was received since
  #ws;
  #attempt;  // changes with each connection
  #timer;  // the only one: for opening, for silence, for the reply to a ping, or until the next attempt
  #stopWaking;

  constructor(url, options, tokens, client) {
    this.#url = url;
    this.#options = options;
    this.#tokens = tokens;
    this.#client = client;
    this.#connect();
    this.#stopWaking = onWaking(() => this.wake());
  }

  get state() { return this.#state; }

  send(text) { this.#ws.send(text); }

  // The server has shown that it works.
  succeeded() { this.#failures = 0; }

  wake() {
    if (this.#state === 'waiting') return this.#connect();
    if (this.#state !== 'open' || this.#isWoken) return;
    this.#isWoken = true;
    this.#probe(this.#options.wakeTimeout);
  }

  // Ends this connection. Another one follows.
  lose(code, reason) {
    // A single refusal may be an accident.
    if (this.#state === 'connecting' && !this.#wasOpen) {
      if (this.#isReachable && ++this.#refusals === 2) return this.#wrongProtocol();
      this.#isReachable = false;
    }
    this.#dropSocket();
    if (code === kUnauthorized && !this.#tokens.refuse()) return this.refused(reason);
    this.#client.lost(code);
    const retryIn = this.#retryIn(code);
    ++this.#failures;
    this.#setState('waiting');
    this.#after(retryIn, () => this.#connect());
    this.#client.emit('close', {code, reason, retryIn});
  }

  // Ends all: the server would refuse the same token again.
  refused(reason) {
    this.#client.emit('error', new StormoError('invalid_token', reason || 'the server does not accept the token'));
    this.end(kUnauthorized, reason);
  }

  end(code, reason) {
    if (this.#state === 'closed') return;
    this.#dropSocket();
    this.#setState('closed');
    clearTimeout(this.#timer);
    this.#stopWaking?.();
    this.#client.ended();
    this.#client.emit('close', {code, reason, retryIn: null});
  }

  // Random, so that the clients of a server that went down do not all reconnect at once.
  pauseAfter(failures) {
    const {retryMin, retryMax} = this.#options;
    const upTo = Math.min(retryMax, retryMin * 2 ** (failures + 1));
    return retryMin + Math.random() * (upTo - retryMin);
  }

  #retryIn(code) {
    // A new worker is running already.
    if (code === 1012 && this.#failures === 0) return Math.random() * this.#options.retryMin * 2;
    return this.pauseAfter(this.#failures);
  }

  #setState(state) {
    this.#state = state;
    this.#client.changed(state);
  }

  #after(ms, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  #connect() {
    this.#setState('connecting');
    const attempt = this.#attempt = {};
    if (!this.#tokens.mustAsk) return this.#dial();
    clearTimeout(this.#timer);
    const ifCurrent = then => argument => attempt === this.#attempt && then(argument);
    this.#tokens.ask().then(ifCurrent(() => this.#dialLater()), ifCurrent(error => {
      this.#client.emit('error', error);
      if (attempt === this.#attempt) this.lose(1006, error.message);
    }));
  }

  // As #dial(), when it is too late for an exception of connect().
  #dialLater() {
    try {
      this.#dial();
    } catch (error) {
      this.#client.emit('error', new StormoError('wrong_url', error.message));
      this.end(1006, error.message);
    }
  }

  #dial() {
    const {WebSocket, pingTimeout} = this.#options;
    // A browser does not report why a connection failed. So, until one has opened, every second attempt offers no
    // subprotocol. A server that accepts it, but rejects the next one with stormo.v1, does not support stormo.v1.
    const offersNothing = !this.#wasOpen && !this.#isReachable && this.#failures % 2 === 1;
    const ws = this.#ws = offersNothing ? new WebSocket(this.#url)
      : new WebSocket(this.#url, this.#tokens.subprotocols);
    ws.onopen = () => offersNothing ? this.#onReachable() : this.#onOpen();
    ws.onmessage = event => this.#onMessage(event.data);
    ws.onclose = event => this.lose(event.code, event.reason);
    ws.onerror = event => {
      // Node's own WebSocket calls no onclose if the connection could not be made; the others do. Browsers give no
      // reason; the package `ws` does.
      if (this.#state === 'connecting') this.lose(1006, event?.message || 'no connection');
    };
    this.#after(pingTimeout, () => this.lose(1006, 'the connection did not open in time'));
  }

  #onReachable() {
    this.#dropSocket();
    this.#isReachable = true;
    this.#connect();
  }

  #wrongProtocol() {
    const problem = `the server does not support ${kProtocol}`;
    this.#client.emit('error', new StormoError('wrong_protocol', problem));
    this.end(1002, problem);
  }

  #onOpen() {
    if (this.#ws.protocol !== kProtocol) return this.#wrongProtocol();
    this.#wasOpen = true;
    this.#isReachable = false;
    this.#setState('open');
    this.#restartSilenceTimer();
    this.#client.opened();
  }

  #onMessage(data) {
    this.#restartSilenceTimer();
    this.#client.received(data);
  }

  // Called when something was received. After pingInterval of silence a ping tests the connection.
  #restartSilenceTimer() {
    this.#isWoken = false;
    this.#after(this.#options.pingInterval, () => this.#probe(this.#options.pingTimeout));
  }

  #probe(timeout) {
    this.#client.ping();
    this.#after(timeout, () => this.lose(1006, 'no reply to a ping'));
  }

  // Ignores the connection from now on, and closes it without waiting: on a dead network that may take long.
  #dropSocket() {
    const ws = this.#ws;
    this.#attempt = undefined;
    this.#ws = undefined;
    if (!ws) return;
    ws.onopen = ws.onmessage = ws.onclose = null;
    ws.onerror = () => {};  // the package `ws` throws errors without a listener
    ws.close(1000);
  }
}

// --- client/tokens.js ---

// Proxies limit the head of a request, the usual ones at 8 KiB with all its other headers.
const kHandshakeTokenMax = 4000;

// The token that a client shows: the option `token`, and those of the option `getToken` after it.
class Tokens {
  #getToken;
  #asked;  // the promise of a call of getToken that has not returned
  #expires;  // of the current token, once the server has accepted it; in seconds since 1970
  current;  // undefined: none yet, or the last one was refused; null: getToken gave none

  constructor({token, getToken}) {
    if (token !== undefined && token !== null && typeof token !== 'string') throw new TypeError('token is not a string');
    if (getToken !== undefined && typeof getToken !== 'function') throw new TypeError('getToken is not a function');
    this.#getToken = getToken;
    this.current = token || undefined;
  }

  get canAsk() { return this.#getToken !== undefined; }

  // Whether the next connection needs another token. One that was accepted is good for many connections, so that a
  // restart of the server does not make all clients ask the application at once.
  get mustAsk() { return this.canAsk && (!this.current || this.#expires <= Date.now() / 1000); }

  // Resolves when `current` is another token, which may be null. Rejects with 'token_failed'.
  ask() {
    this.#asked ??= this.#ask().finally(() => this.#asked = undefined);
    return this.#asked;
  }

  async #ask() {
    let token;
    try {
      token = await this.#getToken();
    } catch (error) {
      throw new StormoError('token_failed', `getToken failed: ${error?.message ?? error}`);
    }
    if (token && typeof token !== 'string') throw new StormoError('token_failed', 'getToken gave something that is no string');
    this.current = token || null;
    this.#expires = undefined;
  }

  // The server has accepted the current token until `expires`, if it states that.
  accepted(expires) { this.#expires = expires; }

  // The server has not accepted the current token. False if there is no way to get another one.
  refuse() {
    if (this.canAsk) this.current = undefined;
    return this.canAsk;
  }

  // Whether the token can be in the handshake. Others are sent in the first message.
  get isInHandshake() { return this.current?.length <= kHandshakeTokenMax && /^[\w.-]+$/.test(this.current); }

  // For the handshake. A subprotocol is in no access log, and browsers can set nothing else.
  get subprotocols() { return this.isInHandshake ? [kProtocol, `stormo.token.${this.current}`] : kProtocol; }

  // The claim `info` of the current token, which the server has accepted. Undefined if there is none, or if the token is
  // in a cookie.
  get info() {
    try {
      const payload = this.current.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
      return JSON.parse(new TextDecoder().decode(bytesOf(payload))).info;
    } catch {
      return undefined;
    }
  }
}

// --- client/client.js ---

// A client with its own connection. On each new one it joins its groups at their last position, and resends requests
// without a reply.
class Client {
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

// --- client/shared_hub.js ---

const kEventsOfAll = ['open', 'welcome', 'expiring', 'close'];
const kEventsOfGroups = ['message', 'missed', 'gap'];

// The one connection of all tabs of an origin, in a SharedWorker. Each tab has a port (shared_tab.js). A group is joined
// while a tab is a member of it.
class Hub {
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
const plain = ({code, message, group}) => ({code, message, group});
const unplain = ({code, message, group}) => new StormoError(code, message, group);

// --- client/shared_tab.js ---

// The file that this code is in. As a SharedWorker it has the hub of the tabs.
const kScript = {url: import.meta.url, type: 'module'};
// Changes with the messages between tab and worker: pages of different versions of this file may be open.
const kWorkerName = 'stormo.shared.1';

function serveTabsInSharedWorker() {
  const {SharedWorkerGlobalScope, name} = globalThis;
  if (!SharedWorkerGlobalScope || !name?.startsWith(kWorkerName)) return;
  const hub = new Hub();
  globalThis.onconnect = ({ports: [port]}) => hub.attach(port);
}

// The address of the worker's script, or undefined if tabs cannot share a connection here: a SharedWorker is of the
// page's own origin, and a tab that ends is noticed by its Web Lock.
function sharedScript({shared, WebSocket}) {
  const {SharedWorker, navigator, location} = globalThis;
  if (!shared || !SharedWorker || !navigator?.locks || WebSocket !== globalThis.WebSocket) return undefined;
  const script = shared.script ?? kScript.url;
  const url = script && new URL(script, location.href);
  return url && url.origin === location.origin ? url.href : undefined;
}

// A client whose connection is that of all tabs. It has the interface of Client.
class SharedClient {
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

// --- client/main.js ---

const kDefaults = {
  retryMin: 250, retryMax: 15_000, pingInterval: 25_000, pingTimeout: 10_000, wakeTimeout: 3_000, maxPending: 10_000,
};

function connect(url, options = {}) {
  const all = {WebSocket: globalThis.WebSocket, joinsGroupsOfToken: true, ...kDefaults, ...options};
  const script = sharedScript(all);
  return script ? new SharedClient(url, all, script) : new Client(url, all);
}


serveTabsInSharedWorker();

export {StormoError, connect};
