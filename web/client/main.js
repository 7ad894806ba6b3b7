import {Client} from './client.js';
import {StormoError} from './errors.js';

const kDefaults = {
  retryMin: 250, retryMax: 15_000, pingInterval: 25_000, pingTimeout: 10_000, wakeTimeout: 3_000, maxPending: 10_000,
};

export function connect(url, options = {}) {
  return new Client(url, {WebSocket: globalThis.WebSocket, joinsGroupsOfToken: true, ...kDefaults, ...options});
}

export {StormoError};
