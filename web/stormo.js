// A client of the server `stormo`, for browsers and for Node. It speaks stormo.v1 (docs/v1-protocol.md), connects again
// for as long as it lives, and then joins its groups where it left off and sends again what was not replied to.
//
//     import {connect} from './stormo.js';
//     const stormo = connect('ws://127.0.0.1:1234');
//     stormo.on('message', ({group, message}) => console.log(group, message));
//     await stormo.join('123');
//     await stormo.send('123', 'Questo è un messaggio');
//
// stormo.d.ts says what each function promises.

const kProtocol = 'stormo.v1';
const kEvents = ['open', 'message', 'gap', 'close', 'error'];
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
  #failures = 0;  // in a row; only a connection on which the session was replied to ends the row
  #wasOpen = false;
  #isReachable = false;  // a connection without subprotocol was made just now
  #refusals = 0;  // in a row: connections with ours that could not be made although the server was reachable
  #isWoken = false;  // a ping was sent because the page woke up, and nothing has come since
  #ws;
  #timer;  // the only one: until it is open, it is silent, it is dead, or another is tried
  #groups = new Map();   // by name, those that are joined or wanted: {name, epoch, offset, joining}
  #sends = new Map();    // by id, those without reply, in order: {text, waiting}
  #pings = new Set();    // what waits for the reply to a ping
  #leaving = new Map();  // by name of group, what waits for the reply to a leave, on this connection
  #replies = new Map();  // by id, what to do with the reply, on this connection
  #pending = new Set();  // all of which the caller has a promise

  constructor(url, options) {
    if (!options.WebSocket) throw new TypeError('there is no global WebSocket here: give one as an option');
    this.#url = url;
    this.#options = options;
    this.#connect();
    for (const [target, name] of wakeEvents()) target.addEventListener(name, this.#wake);
  }

  get state() {
    return this.#state;
  }

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
    this.#sayJoin(wanted);
    return wanted.joining.promise;
  }

  async leave(group) {
    const name = nameOf(group);
    const known = this.#groups.get(name);
    if (this.#state === 'closed') throw closedError();
    if (!known) throw new StormoError('not_joined', 'the group is not joined', name);
    const left = this.#sayLeave(name);
    this.#groups.delete(name);
    known.joining?.reject(new StormoError('left', 'the group was left before it was joined', name));
    return left;
  }

  async send(group, message) {
    const id = ++this.#lastId;
    // Written now: the caller may change the object before it is sent, or sent again.
    const text = JSON.stringify({id, cmd: 'send', group: nameOf(group), message});
    const waiting = this.#wait();
    this.#sends.set(id, {text, waiting});
    if (this.#state === 'open') this.#saySend(id);
    return waiting.promise;
  }

  async ping() {
    const waiting = this.#wait();
    this.#pings.add(waiting);
    if (this.#state === 'open') this.#sayPing(waiting);
    return waiting.promise;
  }

  position(group) {
    const known = this.#groups.get(nameOf(group));
    return known?.epoch === undefined ? undefined : positionOf(known);
  }

  close() {
    this.#end(1000, '');
  }

  // A promise for the caller, and its two ends. What becomes of none of them is left to close().
  #wait() {
    if (this.#state === 'closed') throw closedError();
    if (this.#pending.size >= this.#options.maxPending) {
      throw new StormoError('too_many_pending', `${this.#pending.size} requests wait already`);
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
        queueMicrotask(() => { throw error; });  // to be seen like any other, but not in our way
      }
    }
  }

  #after(ms, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  // A connection begins and ends.

  #connect() {
    const {WebSocket, pingTimeout} = this.#options;
    this.#state = 'connecting';
    // A browser does not say why a connection failed. So, until there was one, every second try offers no subprotocol:
    // a server that accepts that, and no connection with ours right after it, does not speak ours.
    const offersNothing = !this.#wasOpen && !this.#isReachable && this.#failures % 2 === 1;
    const ws = this.#ws = offersNothing ? new WebSocket(this.#url) : new WebSocket(this.#url, kProtocol);
    ws.onopen = () => offersNothing ? this.#reached() : this.#opened();
    ws.onmessage = event => this.#receive(event.data);
    ws.onclose = event => this.#lost(event.code, event.reason);
    ws.onerror = event => {
      // Node's own WebSocket has no close for a connection that could not be made. Else one follows. Browsers do not give
      // the reason; the package `ws` does.
      if (this.#state === 'connecting') this.#lost(1006, event?.message || 'no connection');
    };
    this.#after(pingTimeout, () => this.#lost(1006, 'the connection did not open in time'));
  }

  #reached() {
    this.#hangUp();
    this.#isReachable = true;
    this.#connect();
  }

  #wrongProtocol() {
    this.#emit('error', new StormoError('wrong_protocol', `the server does not speak ${kProtocol}`));
    this.#end(1002, `the server does not speak ${kProtocol}`);
  }

  #opened() {
    if (this.#ws.protocol !== kProtocol) return this.#wrongProtocol();
    this.#state = 'open';
    this.#wasOpen = true;
    this.#isReachable = false;
    this.#heard();
    // The session before what is sent in it, and old messages before those that 'open' may lead to.
    this.#ask({cmd: 'session', session: this.#session}, reply => this.#sessionReplied(reply));
    for (const group of this.#groups.values()) this.#sayJoin(group);
    for (const id of this.#sends.keys()) this.#saySend(id);
    for (const waiting of this.#pings) this.#sayPing(waiting);
    this.#emit('open');
  }

  #sessionReplied(reply) {
    if (!reply.ok) throw malformed(`the session was refused: ${reply.error.code}`);
    this.#failures = 0;
  }

  // Something came. If nothing else does, the network is asked whether it is still there.
  #heard() {
    this.#isWoken = false;
    this.#after(this.#options.pingInterval, () => this.#probe(this.#options.pingTimeout));
  }

  #probe(timeout) {
    this.#ask({cmd: 'ping'}, () => {});
    this.#after(timeout, () => this.#lost(1006, 'no reply to a ping'));
  }

  #lost(code, reason) {
    // Once may be an accident.
    if (this.#state === 'connecting' && !this.#wasOpen) {
      if (this.#isReachable && ++this.#refusals === 2) return this.#wrongProtocol();
      this.#isReachable = false;
    }
    this.#hangUp();
    for (const waiting of this.#leaving.values()) waiting.resolve();  // the server has forgotten us
    this.#leaving.clear();
    if (code === 1009) this.#giveUpLargestSend();
    const retryIn = this.#retryIn(code);
    ++this.#failures;
    this.#state = 'waiting';
    this.#after(retryIn, () => this.#connect());
    this.#emit('close', {code, reason, retryIn});
  }

  // Hears no more of the connection. Its own end may take as long as a dead network likes.
  #hangUp() {
    const ws = this.#ws;
    ws.onopen = ws.onmessage = ws.onclose = null;
    ws.onerror = () => {};  // the package `ws` throws errors that nobody listens to
    ws.close(1000);
    this.#replies.clear();
  }

  // 1009 says that a message is over the server's limit, not which. It is one without reply, so the largest of
  // these is, too; kept, it would be sent again and again.
  #giveUpLargestSend() {
    const encoder = new TextEncoder();
    let largest = {bytes: 0};
    for (const [id, {text, waiting}] of this.#sends) {
      const bytes = encoder.encode(text).length;
      if (bytes > largest.bytes) largest = {bytes, id, waiting};
    }
    this.#sends.delete(largest.id);
    largest.waiting?.reject(new StormoError('too_big', 'the message is larger than the server takes'));
  }

  // At random, so that the clients of a server that went down do not come back all at once.
  #retryIn(code) {
    const {retryMin, retryMax} = this.#options;
    if (code === 1012 && this.#failures === 0) return Math.random() * retryMin * 2;  // a new worker is there already
    const upTo = Math.min(retryMax, retryMin * 2 ** (this.#failures + 1));
    return retryMin + Math.random() * (upTo - retryMin);
  }

  // The network is there again, or the page is seen again: perhaps it slept, and the connection is dead.
  #wake = ({type}) => {
    if (type === 'visibilitychange' && globalThis.document.visibilityState !== 'visible') return;
    if (this.#state === 'waiting') return this.#connect();
    if (this.#state !== 'open' || this.#isWoken) return;
    this.#isWoken = true;
    this.#probe(this.#options.wakeTimeout);
  };

  #end(code, reason) {
    if (this.#state === 'closed') return;
    if (this.#state !== 'waiting') this.#hangUp();
    this.#state = 'closed';
    clearTimeout(this.#timer);
    for (const [target, name] of wakeEvents()) target.removeEventListener(name, this.#wake);
    for (const waiting of this.#pending) waiting.reject(closedError());
    for (const known of [this.#groups, this.#sends, this.#pings, this.#leaving]) known.clear();
    this.#emit('close', {code, reason, retryIn: null});
  }

  // What is said, and what becomes of it. Only #sayJoin and #sayLeave may be called without an open connection.

  #ask(request, onReply) {
    const id = ++this.#lastId;
    this.#say(id, JSON.stringify({id, ...request}), onReply);
  }

  #say(id, text, onReply) {
    this.#replies.set(id, onReply);
    this.#ws.send(text);
  }

  // Later, if it cannot be now. A group that is just being left has to be left first, so that what still comes from
  // before is told from what comes after.
  #sayJoin(group) {
    if (this.#state !== 'open' || this.#leaving.has(group.name)) return;
    const {name, epoch, offset} = group;
    this.#ask({cmd: 'join', group: name, epoch, offset}, reply => this.#joinReplied(group, reply));
  }

  #joinReplied(group, reply) {
    if (this.#groups.get(group.name) !== group) return;  // left since
    const {joining} = group;
    if (!reply.ok) {
      this.#groups.delete(group.name);
      const error = errorOf(reply, group.name);
      return joining ? joining.reject(error) : this.#emit('error', error);
    }
    if (!isPosition(reply)) throw malformed('a join was replied to without a position');
    group.epoch = reply.epoch;
    group.offset = reply.offset;
    group.joining = undefined;
    const {recovered} = reply;
    joining?.resolve(recovered === undefined ? positionOf(group) : {...positionOf(group), recovered});
    if (recovered === false) this.#emit('gap', {group: group.name, ...positionOf(group)});
  }

  #sayLeave(name) {
    if (this.#state !== 'open') return undefined;  // who is not connected is in no group
    if (!this.#leaving.has(name)) {
      this.#leaving.set(name, this.#wait());
      this.#ask({cmd: 'leave', group: name}, reply => this.#leaveReplied(name, reply));
    }
    return this.#leaving.get(name).promise;
  }

  #leaveReplied(name, reply) {
    settle(this.#leaving.get(name), reply, name);
    this.#leaving.delete(name);
    const wantedAgain = this.#groups.get(name);
    if (wantedAgain) this.#sayJoin(wantedAgain);
  }

  #saySend(id) {
    const {text, waiting} = this.#sends.get(id);
    this.#say(id, text, reply => {
      this.#sends.delete(id);
      settle(waiting, reply);
    });
  }

  #sayPing(waiting) {
    this.#ask({cmd: 'ping'}, reply => {
      this.#pings.delete(waiting);
      settle(waiting, reply);
    });
  }

  // What is heard.

  #receive(data) {
    this.#heard();
    try {
      const said = decode(data);
      if (isReply(said)) this.#replied(said);
      else this.#told(said);
    } catch (error) {
      this.#emit('error', error);
      if (this.#state === 'open') this.#lost(1002, error.message);
    }
  }

  #replied(reply) {
    if (reply.id === null && !reply.ok) return this.#emit('error', errorOf(reply));
    const onReply = this.#replies.get(reply.id);
    if (!onReply) throw malformed('a reply to no request');
    this.#replies.delete(reply.id);
    onReply(reply);
  }

  #told({event, group: name, epoch, offset, message, binary}) {
    const group = this.#groups.get(name);
    if (!group || this.#leaving.has(name)) return;  // of a time before it was left
    if (event === 'position') {
      group.epoch = epoch;
      group.offset = offset;
    } else if (event === 'message') {
      const content = message ?? bytesOf(binary);
      group.offset = offset;
      this.#emit('message', {group: name, message: content, offset});
    }
  }
}

// Everything below is a function of what it is given, but for drawSession() and wakeEvents().

// Where there is no page, as in Node, there are none of them.
function wakeEvents() {
  const events = [[globalThis, 'online'], [globalThis, 'pageshow'], [globalThis.document, 'visibilitychange']];
  return events.filter(([target]) => target?.addEventListener);
}

// Who guesses another's session can have that one's messages taken for repeated ones: it has to be random, and is no
// more of a secret. Node 18 has no global crypto, and seeds Math.random well.
function drawSession() {
  const words = new Uint32Array(2);
  do {
    if (globalThis.crypto) globalThis.crypto.getRandomValues(words);
    else words.forEach((_, at) => words[at] = Math.random() * 2 ** 32);
  } while (words.every(word => word === 0));
  return Array.from(words, word => word.toString(16).padStart(8, '0')).join('');
}

// As the server will call it. Half of a surrogate pair, which is no UTF-8, becomes what WebSocket makes of it: U+FFFD.
function nameOf(group) {
  if (typeof group !== 'string' && !Number.isSafeInteger(group)) {
    throw new StormoError('wrong_type', 'a group is a string or an integer');
  }
  return String(group).replace(/\p{Surrogate}/gu, '\ufffd');
}

// An event or a reply; throws if it is none. Of an event that is not known yet, nothing but its name is.
function decode(data) {
  let said;
  try {
    said = typeof data === 'string' && JSON.parse(data);
  } catch {
    throw malformed('what the server said is no JSON');
  }
  if (!isReply(said) && !isEvent(said)) throw malformed('what the server said is no event and no reply');
  return said;
}

function isReply(said) {
  return said?.ok === true || (said?.ok === false && typeof said.error?.code === 'string');
}

function isEvent(said) {
  const {event, group, offset, message, binary} = said ?? {};
  if (event === 'position') return typeof group === 'string' && isPosition(said);
  if (event !== 'message') return typeof event === 'string';
  return typeof group === 'string' && Number.isSafeInteger(offset) && typeof (message ?? binary) === 'string';
}

function isPosition({epoch, offset}) {
  return typeof epoch === 'string' && Number.isSafeInteger(offset);
}

function positionOf({epoch, offset}) {
  return {epoch, offset};
}

function bytesOf(base64) {
  try {
    return Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  } catch {
    throw malformed('what should be base64 is not');
  }
}

function settle(waiting, reply, group) {
  if (reply.ok) waiting.resolve();
  else waiting.reject(errorOf(reply, group));
}

function errorOf({error}, group) {
  return new StormoError(error.code, error.message ?? error.code, group);
}

function closedError() {
  return new StormoError('closed', 'the client is closed');
}

function malformed(what) {
  return new StormoError('protocol', what);
}
