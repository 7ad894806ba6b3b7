import {StormoError} from './errors.js';
import {bytesOf, kProtocol} from './messages.js';

// Proxies limit the head of a request, the usual ones at 8 KiB with all its other headers.
const kHandshakeTokenMax = 4000;

// The token that a client shows: the option `token`, and those of the option `getToken` after it.
export class Tokens {
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
