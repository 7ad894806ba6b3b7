import {Client} from './client.js';
import {StormoError} from './errors.js';
import {SharedClient, serveTabsInSharedWorker, sharedScript} from './shared_tab.js';

const kDefaults = {
  retryMin: 250, retryMax: 15_000, pingInterval: 25_000, pingTimeout: 10_000, wakeTimeout: 3_000, maxPending: 10_000,
};

export function connect(url, options = {}) {
  const all = {WebSocket: globalThis.WebSocket, joinsGroupsOfToken: true, ...kDefaults, ...options};
  const script = sharedScript(all);
  return script ? new SharedClient(url, all, script) : new Client(url, all);
}

export {StormoError};

serveTabsInSharedWorker();
