// A client of the server `stormo`, for browsers and for Node. It uses stormo.v1 (docs/v1-protocol.md). README.md shows how to
// use it, stormo.d.ts states the contract of each function. make_bundle.mjs has made this file of those in client/.

// --- client/errors.js ---

class StormoError extends Error {
  constructor(code, message, {group, to} = {}) {
    super(message);
    this.name = 'StormoError';
    this.code = code;
    if (group !== undefined) this.group = group;
    if (to !== undefined) this.to = to;
  }
}

const errorOf = ({error}, address) => new StormoError(error.code, error.message ?? error.code, address);
const closedError = () => new StormoError('closed', 'the client is closed');
const leftError = address => new StormoError('left', 'it was left before it was joined', address);
const notJoinedError = address => new StormoError('not_joined', 'it is not joined', address);
const malformed = problem => new StormoError('protocol', problem);

// --- client/events.js ---

const kEvents = ['open', 'welcome', 'message', 'missed', 'gap', 'joined', 'left', 'info', 'expiring', 'close', 'error'];

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

// What a client joins, besides groups.
const kAudiences = ['user', 'all'];

// The name as the server sends it. A lone surrogate has no UTF-8 form, and becomes U+FFFD as in WebSocket messages.
function groupOf(group) {
  if (typeof group !== 'string' && !Number.isSafeInteger(group)) {
    throw new StormoError('wrong_type', 'a group is a string or an integer');
  }
  const name = String(group).replace(/\p{Surrogate}/gu, '\ufffd');
  if (isAudience(name)) throw new StormoError('name_reserved', 'the name of a group does not begin with a zero byte', {group: name});
  return name;
}

// One name for each thing that can be joined: that of a group, or a zero byte and 'user' or 'all'.
function nameOf(target) {
  const {to} = target ?? {};
  if (to === undefined) return groupOf(target);
  if (!kAudiences.includes(to)) throw new StormoError('wrong_type', "only {to: 'user'} and {to: 'all'} can be joined");
  return nameOfAudience(to);
}

const nameOfAudience = to => `\0${to}`;
const isAudience = name => name.startsWith('\0');
// The fields of a name in messages, events and errors.
const addressOf = name => isAudience(name) ? {to: name.slice(1)} : {group: name};
const targetOf = name => isAudience(name) ? addressOf(name) : name;
const nameIn = ({group, to}) => to === undefined ? group : nameOfAudience(to);

const isReply = received =>
  received?.ok === true || (received?.ok === false && typeof received.error?.code === 'string');

// The fields of an unknown event are not checked.
function isEvent(received) {
  const {event, group, to, offset, message, binary, count, seconds, info} = received ?? {};
  if (event === 'missed') return typeof (group ?? to) === 'string' && Number.isSafeInteger(count);
  if (event === 'welcome') return isAdmission(received);
  if (event === 'expiring') return Number.isSafeInteger(seconds);
  if (event === 'joined') return typeof group === 'string' && isPosition(received);
  if (event === 'left') return typeof group === 'string';
  if (event === 'info') return typeof info === 'object';
  if (event !== 'message') return typeof event === 'string';
  return typeof (group ?? to) === 'string' && Number.isSafeInteger(offset) && typeof (message ?? binary) === 'string';
}

// What the server states of a token that it has accepted, in `welcome` and in the reply to `refresh`.
const isAdmission = ({client, user, groups, expires}) => typeof user === 'string' &&
  (client === undefined || typeof client === 'string') && Array.isArray(groups) && groups.every(group => typeof group === 'string') &&
  (expires === undefined || Number.isSafeInteger(expires));

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

// --- client/urls.js ---

// The URLs of the nodes of a cluster, any of which serves a client.

// A copy of the caller's list, or a list of his one URL, which the first connection checks. In a list a later URL would be
// found to be invalid only when it is needed.
function urlsOf(url) {
  if (!Array.isArray(url)) return [url];
  if (url.length === 0) throw new TypeError('the list of URLs is empty');
  for (const each of url) {
    if (!/^wss?:$/.test(new URL(each).protocol)) throw new TypeError(`'${each}' does not begin with ws:// or wss://`);
  }
  return url.map(String);
}

// In a random order: then the clients are spread over all nodes, and those of a node that is lost over the others.
function shuffled(list) {
  const all = [...list];
  for (let left = all.length; left > 1; --left) {
    const chosen = Math.floor(Math.random() * left);
    [all[left - 1], all[chosen]] = [all[chosen], all[left - 1]];
  }
  return all;
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
// `client` has the callbacks: changed(state, url); opened(); received(data); ping(), which sends one; lost(code), before the
// next connection; ended(), before no other one; emit(event, argument).
class Link {
  #urls;
  #at = 0;  // of #urls: that of this connection or attempt, or of the next attempt while waiting
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
  #shownToken;  // in the handshake of #ws
  #attempt;  // changes with each connection
  #timer;  // the only one: for opening, for silence, for the reply to a ping, or until the next attempt
  #stopWaking;

  constructor(urls, options, tokens, client) {
    this.#urls = options.inOrder ? urls : shuffled(urls);
    this.#options = options;
    this.#tokens = tokens;
    this.#client = client;
    this.#connect();
    this.#stopWaking = onWaking(() => this.wake());
  }

  get state() { return this.#state; }

  // The token in the handshake of this connection, if it was there. The page may have given another one since.
  get shownToken() { return this.#shownToken; }

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
    const retryIn = this.#moveAndPause(code);
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

  // Chooses the URL of the next attempt. Returns the time until then.
  #moveAndPause(code) {
    // A new worker of the same server is running already.
    if (code === 1012 && this.#failures === 0) return Math.random() * this.#options.retryMin * 2;
    this.#at = (this.#at + 1) % this.#urls.length;
    return this.pauseAfter(this.#rounds);
  }

  // How often all URLs have failed.
  get #rounds() { return Math.floor(this.#failures / this.#urls.length); }

  #setState(state) {
    this.#state = state;
    this.#client.changed(state, this.#urls[this.#at]);
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
    // A browser does not report why a connection failed. So, until one has opened, every second attempt for a URL offers no
    // subprotocol. A server that accepts it, but rejects the next one with stormo.v1, does not support stormo.v1.
    const offersNothing = !this.#wasOpen && !this.#isReachable && this.#rounds % 2 === 1;
    this.#shownToken = this.#tokens.isInHandshake ? this.#tokens.current : undefined;
    const url = this.#urls[this.#at];
    const ws = this.#ws = offersNothing ? new WebSocket(url) : new WebSocket(url, this.#tokens.subprotocols);
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

// --- client/renewal.js ---

// Shows other tokens on the open connection: before the current one expires, after a refused one, and when the page wants it.
//
// `client` has the callbacks: isOpen(); request(fields, onReply); admitted(reply, token); pauseAfter(failures);
// refused(reason), if there is no other token; failed(error).
class Renewal {
  #tokens;
  #client;
  #failures = 0;  // in a row
  #timer;
  #refreshes = new Set();  // promises of the page's calls of refresh()

  constructor(tokens, client) {
    this.#tokens = tokens;
    this.#client = client;
  }

  // `shownToken` was in the handshake.
  opened(shownToken) {
    this.#failures = 0;
    if (this.#tokens.current && shownToken !== this.#tokens.current) this.#send();
  }

  // No connection is open.
  stop() { clearTimeout(this.#timer); }

  // The server has accepted `token`: `admission` is what the page may know of it.
  admitted(token, admission) {
    this.#failures = 0;
    if (!this.#tokens.isCurrent(token)) return;  // the page has given a later one, which is not sent yet
    for (const waiting of this.#refreshes) waiting.resolve({...admission});
    this.#refreshes.clear();
  }

  // The token expires. Without getToken there is no other one.
  expiring() {
    if (this.#tokens.canAsk) void this.#renew();
  }

  // `waiting` is settled when the server has accepted another token, or does not.
  async refresh(waiting) {
    try {
      if (!this.#tokens.canAsk) throw new StormoError('token_failed', 'there is no getToken to ask');
      await this.#tokens.askAgain();
    } catch (error) {
      return waiting.reject(error);
    }
    this.#refreshes.add(waiting);
    if (!this.#client.isOpen()) return;  // the next connection shows the token
    if (this.#tokens.current) this.#send();
    else this.#reject(new StormoError('token_failed', 'getToken gave no token'));
  }

  async #renew() {
    try {
      await this.#tokens.ask();
      if (this.#client.isOpen() && this.#tokens.current) this.#send();
    } catch (error) {
      this.#client.failed(error);
      this.#renewLater();
    }
  }

  #renewLater() {
    if (!this.#client.isOpen()) return;  // the next connection asks for a token
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#renew(), this.#client.pauseAfter(this.#failures++));
  }

  #send() {
    const token = this.#tokens.current;
    this.#client.request({cmd: 'refresh', token}, reply => {
      if (reply.ok) {
        if (!isAdmission(reply)) throw malformed('a reply to a refresh has no user or groups');
        return this.#client.admitted(reply, token);
      }
      if (token !== this.#tokens.current) return;  // the reply to a later one follows
      if (!this.#tokens.refuse()) return this.#client.refused(reply.error.message);
      if (!this.#reject(errorOf(reply))) this.#client.failed(errorOf(reply));
      this.#renewLater();
    });
  }

  // Whether a promise of the page has the error.
  #reject(error) {
    const isAwaited = this.#refreshes.size > 0;
    for (const waiting of this.#refreshes) waiting.reject(error);
    this.#refreshes.clear();
    return isAwaited;
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

  isCurrent(token) { return (token ?? null) === (this.current ?? null); }

  // Resolves when `current` is another token, which may be null. Rejects with 'token_failed'.
  ask() {
    this.#asked ??= this.#ask().finally(() => this.#asked = undefined);
    return this.#asked;
  }

  // As ask(), with a call of getToken that begins after this one.
  async askAgain() {
    await this.#asked?.catch(() => {});
    return this.ask();
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

// --- client/shared_hub.js ---

const kEventsOfAll = ['open', 'welcome', 'info', 'expiring', 'close'];
const kEventsOfGroups = ['message', 'missed', 'gap'];

// The one connection of all tabs of an origin, in a SharedWorker. Each tab has a port (shared_tab.js). A group is joined
// while a tab is a member of it.
class Hub {
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
const plain = ({code, message, group, to}) => ({code, message, group, to});
const unplain = ({code, message, ...address}) => new StormoError(code, message, address);

// --- client/shared_tab.js ---

// The file that this code is in. As a SharedWorker it has the hub of the tabs.
const kScript = {url: import.meta.url, type: 'module'};
// Changes with the messages between tab and worker: pages of different versions of this file may be open.
const kWorkerName = 'stormo.shared.3';

function serveTabsInSharedWorker() {
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

// --- client/main.js ---

const kDefaults = {
  retryMin: 250, retryMax: 15_000, pingInterval: 25_000, pingTimeout: 10_000, wakeTimeout: 3_000, maxPending: 10_000,
};

function connect(url, options = {}) {
  for (const to of kAudiences) checkPosition(to, options[to]);
  const all = {WebSocket: globalThis.WebSocket, joinsByItself: true, ...kDefaults, ...options};
  const script = sharedScript(all);
  return script ? new SharedClient(urlsOf(url), all, script) : new Client(urlsOf(url), all);
}

// A user's name is a likely mistake.
function checkPosition(name, value) {
  if (value === undefined || typeof value === 'boolean' || typeof value === 'object') return;
  throw new TypeError(`the option ${name} is a position, or false`);
}


serveTabsInSharedWorker();

export {StormoError, connect};
