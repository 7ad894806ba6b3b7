// The messages of stormo.v1 (docs/v1-protocol.md).
import {StormoError} from './errors.js';

export const kProtocol = 'stormo.v1';
export const kUnauthorized = 4401;  // the close code for a token that is missing, not accepted or expired

// The name as the server sends it. A lone surrogate has no UTF-8 form, and becomes U+FFFD as in WebSocket messages.
export function nameOf(group) {
  if (typeof group !== 'string' && !Number.isSafeInteger(group)) {
    throw new StormoError('wrong_type', 'a group is a string or an integer');
  }
  return String(group).replace(/\p{Surrogate}/gu, '\ufffd');
}

export const isReply = received =>
  received?.ok === true || (received?.ok === false && typeof received.error?.code === 'string');

// The fields of an unknown event are not checked.
export function isEvent(received) {
  const {event, group, offset, message, binary, count, seconds} = received ?? {};
  if (event === 'missed') return typeof group === 'string' && Number.isSafeInteger(count);
  if (event === 'welcome') return isAdmission(received);
  if (event === 'expiring') return Number.isSafeInteger(seconds);
  if (event !== 'message') return typeof event === 'string';
  return typeof group === 'string' && Number.isSafeInteger(offset) && typeof (message ?? binary) === 'string';
}

// What the server states of a token that it has accepted, in `welcome` and in the reply to `refresh`.
export const isAdmission = ({user, groups, expires}) => typeof user === 'string' && Array.isArray(groups) &&
  groups.every(group => typeof group === 'string') && (expires === undefined || Number.isSafeInteger(expires));

export const isPosition = ({epoch, offset}) => typeof epoch === 'string' && Number.isSafeInteger(offset);
export const positionOf = ({epoch, offset}) => ({epoch, offset});
export const bytesOf = base64 => Uint8Array.from(atob(base64), character => character.charCodeAt(0));

// A session must be random, but is not a secret: a client that guesses the session of another one can make the server drop
// its messages as duplicates. Node 18 has no global crypto, and seeds Math.random well.
export function drawSession() {
  const words = new Uint32Array(2);
  do {
    if (globalThis.crypto) globalThis.crypto.getRandomValues(words);
    else words.forEach((_, at) => words[at] = Math.random() * 2 ** 32);
  } while (words.every(word => word === 0));
  return Array.from(words, word => word.toString(16).padStart(8, '0')).join('');
}
