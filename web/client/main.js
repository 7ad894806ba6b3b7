import {Client} from './client.js';
import {StormoError} from './errors.js';
import {kAudiences} from './messages.js';
import {SharedClient, serveTabsInSharedWorker, sharedScript} from './shared_tab.js';
import {urlsOf} from './urls.js';

const kDefaults = {
  retryMin: 250, retryMax: 15_000, pingInterval: 25_000, pingTimeout: 10_000, wakeTimeout: 3_000, maxPending: 10_000,
};

export function connect(url, options = {}) {
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

export {StormoError};

serveTabsInSharedWorker();
