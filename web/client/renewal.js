import {StormoError, errorOf, malformed} from './errors.js';
import {isAdmission} from './messages.js';

// Shows other tokens on the open connection: before the current one expires, after a refused one, and when the page wants it.
//
// `client` has the callbacks: isOpen(); request(fields, onReply); admitted(reply, token); pauseAfter(failures);
// refused(reason), if there is no other token; failed(error).
export class Renewal {
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
