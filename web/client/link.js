import {StormoError} from './errors.js';
import {kProtocol, kUnauthorized} from './messages.js';
import {shuffled} from './urls.js';
import {onWaking} from './waking.js';

// The connection to the server: made, tested while it is silent, and made again until end().
//
// `client` has the callbacks: changed(state, url); opened(); received(data); ping(), which sends one; lost(code), before the
// next connection; ended(), before no other one; emit(event, argument).
export class Link {
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
