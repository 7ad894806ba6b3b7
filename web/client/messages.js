// The messages of stormo.v1 (docs/v1-protocol.md).
import {StormoError} from './errors.js';

export const kProtocol = 'stormo.v1';
export const kUnauthorized = 4401;  // the close code for a token that is missing, not accepted or expired

// What a client joins, besides groups.
export const kAudiences = ['user', 'all'];

// The name as the server sends it. A lone surrogate has no UTF-8 form, and becomes U+FFFD as in WebSocket messages.
export function groupOf(group) {
  if (typeof group !== 'string' && !Number.isSafeInteger(group)) {
    throw new StormoError('wrong_type', 'a group is a string or an integer');
  }
  const name = String(group).replace(/\p{Surrogate}/gu, '\ufffd');
  if (isAudience(name)) throw new StormoError('name_reserved', 'the name of a group does not begin with a zero byte', {group: name});
  return name;
}

// One name for each thing that can be joined: that of a group, or a zero byte and 'user' or 'all'.
export function nameOf(target) {
  const {to} = target ?? {};
  if (to === undefined) return groupOf(target);
  if (!kAudiences.includes(to)) throw new StormoError('wrong_type', "only {to: 'user'} and {to: 'all'} can be joined");
  return nameOfAudience(to);
}

export const nameOfAudience = to => `\0${to}`;
export const isAudience = name => name.startsWith('\0');
// The fields of a name in messages, events and errors.
export const addressOf = name => isAudience(name) ? {to: name.slice(1)} : {group: name};
export const targetOf = name => isAudience(name) ? addressOf(name) : name;
export const nameIn = ({group, to}) => to === undefined ? group : nameOfAudience(to);

export const isReply = received =>
  received?.ok === true || (received?.ok === false && typeof received.error?.code === 'string');

// The fields of an unknown event are not checked.
export function isEvent(received) {
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
export const isAdmission = ({client, user, groups, expires}) => typeof user === 'string' &&
  (client === undefined || typeof client === 'string') && Array.isArray(groups) && groups.every(group => typeof group === 'string') &&
  (expires === undefined || Number.isSafeInteger(expires));

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
