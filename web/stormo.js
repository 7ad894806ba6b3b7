// A client of the server `stormo`, for browsers and for Node. It uses stormo.v1 (docs/v1-protocol.md), and reconnects until
// it is closed. On each new connection it joins its groups at their last position, and resends requests without a reply.
// README.md shows how to use it, stormo.d.ts states the contract of each function.

const kProtocol = 'stormo.v1';
const kEvents = ['open', 'message', 'missed', 'gap', 'close', 'error'];
const kDefaults = {
  retryMin: 250, retryMax: 15_000, pingInterval: 25_000, pingTimeout: 10_000, wakeTimeout: 3_000, maxPending: 10_000,
};

export class StormoError extends Error {
  constructor(code, message, group) {
    super(message);
    this.name = 'StormoError';
    this.code = code;
    if (group !== undefined) this.group = group;
  }
}

export function connect(url, options = {}) {
  return new Stormo(url, {WebSocket: globalThis.WebSocket, ...kDefaults, ...options});
}

class Stormo {
  #url;
  #options;
  #state = 'connecting';
  #handlers = new Map(kEvents.map(name => [name, new Set()]));
  #session = drawSession();
  #lastId = 0;
  #failures = 0;  // failed connections in a row; a reply to the session resets it
  #wasOpen = false;
  #isReachable = false;  // a connection without subprotocol has just succeeded
  #refusals = 0;  // failed connections with the subprotocol although the server was reachable
  #isWoken = false;  // a ping was sent because the page woke up, and nothing was received since
  #ws;
  #timer;  // the only one: for opening, for silence, for the reply to a ping, or until the next attempt
  #groups = new Map();   // by name, joined groups and groups to be joined: {name, epoch, offset, joining}
  #unanswered = new Map();  // by id, sends and pings without a reply, in order: {text, waiting}
  #leaving = new Map();  // by name of group, promises of leaves without a reply on this connection
  #replies = new Map();  // by id, the handler of the reply on this connection
  #pending = new Set();  // all unsettled promises of the caller

  constructor(url, options) {
    if (!options.WebSocket) throw new TypeError('there is no global WebSocket here: give one as an option');
    this.#url = url;
    this.#options = options;
    this.#connect();
    for (const [target, name] of wakeEvents()) target.addEventListener(name, this.#wake);
  }

  get state() { return this.#state; }

  on(name, handler) {
    const handlers = this.#handlers.get(name);
    if (!handlers) throw new TypeError(`there is no event '${name}', only ${kEvents.join(', ')}`);
    handlers.add(handler);
    return () => void handlers.delete(handler);
  }

  async join(group, position) {
    const name = nameOf(group);
    const known = this.#groups.get(name);
    if (known) return known.joining ? known.joining.promise : positionOf(known);
    const wanted = {name, epoch: position?.epoch, offset: position?.offset, joining: this.#wait()};
    this.#groups.set(name, wanted);
    this.#sendJoin(wanted);
    return wanted.joining.promise;
  }

  async leave(group) {
    const name = nameOf(group);
    const known = this.#groups.get(name);
    if (this.#state === 'closed') throw closedError();
    if (!known) throw new StormoError('not_joined', 'the group is not joined', name);
    const left = this.#sendLeave(name);
    this.#groups.delete(name);
    known.joining?.reject(new StormoError('left', 'the group was left before it was joined', name));
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

  close() { this.#end(1000, ''); }

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

  #emit(name, event) {
    for (const handler of [...this.#handlers.get(name)]) {
      try {
        handler(event);
      } catch (error) {
        queueMicrotask(() => { throw error; });  // reported as uncaught, without disturbing this client
      }
    }
  }

  #after(ms, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  // --- Connecting and closing ---

  #connect() {
    const {WebSocket, pingTimeout} = this.#options;
    this.#state = 'connecting';
    // A browser does not report why a connection failed. So, until one has opened, every second attempt offers no
    // subprotocol. A server that accepts it, but rejects the next one with stormo.v1, does not support stormo.v1.
    const offersNothing = !this.#wasOpen && !this.#isReachable && this.#failures % 2 === 1;
    const ws = this.#ws = offersNothing ? new WebSocket(this.#url) : new WebSocket(this.#url, kProtocol);
    ws.onopen = () => offersNothing ? this.#onReachable() : this.#onOpen();
    ws.onmessage = event => this.#receive(event.data);
    ws.onclose = event => this.#lost(event.code, event.reason);
    ws.onerror = event => {
      // Node's own WebSocket calls no onclose if the connection could not be made; the others do. Browsers give no
      // reason; the package `ws` does.
      if (this.#state === 'connecting') this.#lost(1006, event?.message || 'no connection');
    };
    this.#after(pingTimeout, () => this.#lost(1006, 'the connection did not open in time'));
  }

  #onReachable() {
    this.#dropSocket();
    this.#isReachable = true;
    this.#connect();
  }

  #wrongProtocol() {
    this.#emit('error', new StormoError('wrong_protocol', `the server does not support ${kProtocol}`));
    this.#end(1002, `the server does not support ${kProtocol}`);
  }

  #onOpen() {
    if (this.#ws.protocol !== kProtocol) return this.#wrongProtocol();
    this.#state = 'open';
    this.#wasOpen = true;
    this.#isReachable = false;
    this.#restartSilenceTimer();
    // The session before its sends, and resent messages before those that handlers of 'open' send.
    this.#request({cmd: 'session', session: this.#session}, reply => {
      if (!reply.ok) throw malformed(`the session was rejected: ${reply.error.code}`);
      this.#failures = 0;
    });
    for (const group of this.#groups.values()) this.#sendJoin(group);
    for (const id of this.#unanswered.keys()) this.#resend(id);
    this.#emit('open');
  }

  // Called when something was received. After pingInterval of silence a ping tests the connection.
  #restartSilenceTimer() {
    this.#isWoken = false;
    this.#after(this.#options.pingInterval, () => this.#probe(this.#options.pingTimeout));
  }

  #probe(timeout) {
    this.#request({cmd: 'ping'}, () => {});
    this.#after(timeout, () => this.#lost(1006, 'no reply to a ping'));
  }

  #lost(code, reason) {
    // A single refusal may be an accident.
    if (this.#state === 'connecting' && !this.#wasOpen) {
      if (this.#isReachable && ++this.#refusals === 2) return this.#wrongProtocol();
      this.#isReachable = false;
    }
    this.#dropSocket();
    for (const waiting of this.#leaving.values()) waiting.resolve();  // a lost connection has left its groups
    this.#leaving.clear();
    if (code === 1009) this.#dropLargestSend();
    const retryIn = this.#retryIn(code);
    ++this.#failures;
    this.#state = 'waiting';
    this.#after(retryIn, () => this.#connect());
    this.#emit('close', {code, reason, retryIn});
  }

  // Ignores the connection from now on, and closes it without waiting: on a dead network that may take long.
  #dropSocket() {
    const ws = this.#ws;
    ws.onopen = ws.onmessage = ws.onclose = null;
    ws.onerror = () => {};  // the package `ws` throws errors without a listener
    ws.close(1000);
    this.#replies.clear();
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

  // Random, so that the clients of a server that went down do not all reconnect at once.
  #retryIn(code) {
    const {retryMin, retryMax} = this.#options;
    if (code === 1012 && this.#failures === 0) return Math.random() * retryMin * 2;  // a new worker is running already
    const upTo = Math.min(retryMax, retryMin * 2 ** (this.#failures + 1));
    return retryMin + Math.random() * (upTo - retryMin);
  }

  // The network is available or the page visible again: the machine may have slept, and the connection be dead.
  #wake = ({type}) => {
    if (type === 'visibilitychange' && globalThis.document.visibilityState !== 'visible') return;
    if (this.#state === 'waiting') return this.#connect();
    if (this.#state !== 'open' || this.#isWoken) return;
    this.#isWoken = true;
    this.#probe(this.#options.wakeTimeout);
  };

  #end(code, reason) {
    if (this.#state === 'closed') return;
    if (this.#state !== 'waiting') this.#dropSocket();
    this.#state = 'closed';
    clearTimeout(this.#timer);
    for (const [target, name] of wakeEvents()) target.removeEventListener(name, this.#wake);
    for (const waiting of this.#pending) waiting.reject(closedError());
    for (const known of [this.#groups, this.#unanswered, this.#leaving]) known.clear();
    this.#emit('close', {code, reason, retryIn: null});
  }

  // --- Sending. Only #sendJoin, #sendLeave and #sendUntilReply may be called without an open connection. ---

  #request(fields, onReply) {
    const id = ++this.#lastId;
    this.#sendRequest(id, JSON.stringify({id, ...fields}), onReply);
  }

  #sendRequest(id, text, onReply) {
    this.#replies.set(id, onReply);
    this.#ws.send(text);
  }

  // Has no effect while it must wait for a connection, or for the reply to a leave of the group: messages before that
  // reply belong to the former membership, and are dropped.
  #sendJoin(group) {
    if (this.#state !== 'open' || this.#leaving.has(group.name)) return;
    const {name, epoch, offset} = group;
    this.#request({cmd: 'join', group: name, epoch, offset}, reply => this.#onJoinReply(group, reply));
  }

  #onJoinReply(group, reply) {
    if (this.#groups.get(group.name) !== group) return;  // left since
    const {joining} = group;
    if (!reply.ok) {
      this.#groups.delete(group.name);
      const error = errorOf(reply, group.name);
      return joining ? joining.reject(error) : this.#emit('error', error);
    }
    if (!isPosition(reply)) throw malformed('a reply to a join has no position');
    Object.assign(group, positionOf(reply), {joining: undefined});
    const {recovered} = reply;
    joining?.resolve(recovered === undefined ? positionOf(group) : {...positionOf(group), recovered});
    if (recovered === false) this.#emit('gap', {group: group.name, ...positionOf(group)});
  }

  #sendLeave(name) {
    if (this.#state !== 'open') return undefined;  // without a connection the client is in no group
    if (this.#leaving.has(name)) return this.#leaving.get(name).promise;
    const waiting = this.#wait();
    this.#leaving.set(name, waiting);
    this.#request({cmd: 'leave', group: name}, reply => {
      settle(waiting, reply, name);
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
      settle(waiting, reply);
    });
  }

  // --- Receiving ---

  #receive(data) {
    this.#restartSilenceTimer();
    try {
      const received = typeof data === 'string' && JSON.parse(data);
      if (isReply(received)) this.#onReply(received);
      else if (isEvent(received)) this.#onEvent(received);
      else throw malformed('a message of the server is neither an event nor a reply');
    } catch (error) {  // JSON.parse() and atob() throw errors of their own
      const problem = error instanceof StormoError ? error : malformed(`invalid message of the server: ${error.message}`);
      this.#emit('error', problem);
      if (this.#state === 'open') this.#lost(1002, problem.message);
    }
  }

  #onReply(reply) {
    if (reply.id === null && !reply.ok) return this.#emit('error', errorOf(reply));
    const onReply = this.#replies.get(reply.id);
    if (!onReply) throw malformed('a reply has the id of no pending request');
    this.#replies.delete(reply.id);
    onReply(reply);
  }

  #onEvent({event, group: name, offset, message, binary, count}) {
    const group = this.#groups.get(name);
    if (!group || this.#leaving.has(name)) return;  // sent before the group was left
    if (event === 'missed') return this.#emit('missed', {group: name, count, ...positionOf(group)});
    if (event !== 'message') return;
    const content = message ?? bytesOf(binary);
    group.offset = offset;
    this.#emit('message', {group: name, message: content, offset});
  }
}

// The functions below depend on their arguments only, except wakeEvents() and drawSession().

// Empty where there is no page, as in Node.
function wakeEvents() {
  const events = [[globalThis, 'online'], [globalThis, 'pageshow'], [globalThis.document, 'visibilitychange']];
  return events.filter(([target]) => target?.addEventListener);
}

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
  const {event, group, offset, message, binary, count} = received ?? {};
  if (event === 'missed') return typeof group === 'string' && Number.isSafeInteger(count);
  if (event !== 'message') return typeof event === 'string';
  return typeof group === 'string' && Number.isSafeInteger(offset) && typeof (message ?? binary) === 'string';
}

const isPosition = ({epoch, offset}) => typeof epoch === 'string' && Number.isSafeInteger(offset);
const positionOf = ({epoch, offset}) => ({epoch, offset});
const bytesOf = base64 => Uint8Array.from(atob(base64), character => character.charCodeAt(0));
const settle = (waiting, reply, group) => reply.ok ? waiting.resolve() : waiting.reject(errorOf(reply, group));
const errorOf = ({error}, group) => new StormoError(error.code, error.message ?? error.code, group);
const closedError = () => new StormoError('closed', 'the client is closed');
const malformed = problem => new StormoError('protocol', problem);
