/** A group's name: 1 to 255 bytes in UTF-8. An integer stands for its decimal text. */
export type Group = string | number;

/** What a client joins: a group, what is sent to its user, or what is sent to everybody. */
export type Target = Group | {to: 'user' | 'all'};

/** Of what an event is: of a group, or of the audience `to`. */
export type Address = {group: string; to?: undefined} | {to: 'user' | 'all'; group?: undefined};

/** A value that JSON.stringify accepts. A string is sent as it is, any other value as its JSON text. */
export type Message = string | number | boolean | null | object;

/** The last message of a group that a client has received. Pass it to join() unchanged; do not compare positions. */
export interface Position {
  epoch: string;
  offset: number;
}

export interface Joined extends Position {
  /**
   * Only after a join() with a position. True: the handlers of 'message' have received all messages since then.
   * False: messages may be missing, and 'gap' is emitted, too.
   */
  recovered?: boolean;
}

/** What the server states of a token that it has accepted. */
export interface Admission {
  /** The client's id on this connection, with which a backend reaches it; undefined if the server gives none. */
  id?: string;
  /** The claim `sub` of the token. */
  user: string;
  /** The groups of the token, which the client joins. */
  groups: string[];
  /** When the token expires, in seconds since 1970; undefined if it does not. */
  expires?: number;
  /** What the backend has set on this connection, or else the claim `info` of the token, if it is not in a cookie. */
  info?: Record<string, unknown>;
}

/** Events are emitted in their order. An exception of a handler is reported as uncaught, and has no other effect. */
export interface StormoEvents {
  /** A connection is open. Groups are being joined again, and requests without a reply are being resent. */
  open: () => void;
  /** The server has accepted a token: that of this connection, or another one after it. */
  welcome: (admission: Admission) => void;
  /**
   * A message, once: of a joined group, or to this client's user, to everybody, or to this client alone (`to`). It is bytes
   * if another program sent a message that is not text.
   */
  message: (message: (Address | {to: 'client'; group?: undefined}) & {message: string | Uint8Array; offset: number}) => void;
  /**
   * The server has dropped `count` messages of that group, because this client read them too slowly, or because the server
   * sends only the newest ones of the group (its setting `slow`). They came after the position, and before the next message.
   * The position does not change: after a reconnect the messages may still arrive, from the group's history.
   */
  missed: (missed: Address & {count: number} & Position) => void;
  /**
   * Messages of that group may be missing: reload the state that depends on them. After the position no message is
   * missing.
   */
  gap: (gap: Address & Position) => void;
  /**
   * The backend has let this client join the group. The client keeps it over reconnects as if join() had been called. If
   * that is 'forbidden', 'error' is emitted, and the group is dropped.
   */
  joined: (joined: {group: string} & Position) => void;
  /** The backend has let this client leave the group. No message of it follows. */
  left: (left: {group: string}) => void;
  /** The backend has set the info of this client, or removed it (undefined). */
  info: (info: {info: Record<string, unknown> | undefined}) => void;
  /** The token expires in so many seconds. With `getToken` the client renews it by itself. */
  expiring: (expiring: {seconds: number}) => void;
  /**
   * A connection has ended, or could not be made. The next attempt follows in `retryIn` milliseconds. If it is null, the
   * client is closed, and this is its last event. Codes are in docs/v1-protocol.md; 1006 also stands for a server that does
   * not answer, 1002 for one that breaks the protocol. If the connection could not be made, `reason` is the cause if the
   * WebSocket gives it: the package `ws` does ("Unexpected server response: 403"), browsers do not ("no connection").
   */
  close: (close: {code: number; reason: string; retryIn: number | null}) => void;
  /**
   * An error that rejects no promise: 'wrong_protocol', 'protocol', 'token_failed', 'invalid_token', or why `error.group`
   * could not be joined again. If that is 'forbidden', the client joins the group again when it has another token.
   */
  error: (error: StormoError) => void;
}

export type StormoErrorCode =
  /** close() was called, or the server does not support stormo.v1. */
  | 'closed'
  /** `maxPending` requests are pending already. */
  | 'too_many_pending'
  /** join: leave() was called before the join was completed. */
  | 'left'
  /** leave: join() was not called before, or was rejected. */
  | 'not_joined'
  /** send: the server has closed the connection, because the message is larger than it accepts. */
  | 'too_big'
  /**
   * Event only: the server does not support stormo.v1. It opened a connection without selecting it, or it twice accepted
   * a connection without a subprotocol and rejected the next one with it. The client is closed.
   */
  | 'wrong_protocol'
  /** Event only: the server sent a message that the protocol does not allow. The client reconnects. */
  | 'protocol'
  /** Event only: `getToken` threw, or gave no string. The client calls it again later. */
  | 'token_failed'
  /**
   * Event only: the server does not accept the token; the message states why. With `getToken` the client asks for another
   * one. Without it the client is closed.
   */
  | 'invalid_token'
  /** Event only, with `getToken`: the WebSocket rejects the URL. The client is closed. */
  | 'wrong_url'
  /** send, with a shared connection: the shared worker ended before the reply. The message may have been sent, or not. */
  | 'worker_ended'
  /** From the server; see docs/v1-protocol.md. */
  | 'wrong_type' | 'missing_field' | 'name_empty' | 'name_too_long' | 'too_many_groups' | 'id_not_greater'
  | 'message_too_long' | 'forbidden' | 'name_reserved' | 'no_user'
  /** Servers may add codes. */
  | (string & {});

export class StormoError extends Error {
  constructor(code: StormoErrorCode, message: string, address?: {group?: string; to?: string});
  readonly code: StormoErrorCode;
  /** The group that the error concerns, if any. */
  readonly group?: string;
  /** 'user' or 'all' if the error concerns that. */
  readonly to?: string;
}

/** The part of a WebSocket that Stormo uses. Those of browsers, of Node and of the package `ws` have it. */
export interface WebSocketLike {
  readonly protocol: string;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface Shared {
  /** Tabs share a connection if the URL of the server and this name are the same. A user's name is a good one. */
  name?: string;
  /** The address of stormo.js (or stormo.global.js) at the page's own origin. Default: where this file is. */
  script?: string | URL;
}

export interface Options {
  /** A token that the client shows to the server (docs/access.md). Without `getToken`, the client ends with it. */
  token?: string;
  /**
   * Gives another token, or null to connect without one. It is called before a connection unless `token` or the last token
   * can still be used, when the server announces that the token expires, and after the server has refused one. If it
   * throws, it is called again after a time as between two connections. There is one call at a time.
   */
  getToken?: () => string | null | undefined | Promise<string | null | undefined>;
  /**
   * With a token, the client joins by itself what is sent to its user, unless this is false. With a stored position of
   * {to: 'user'}, the messages since then come first. Default: from now on.
   */
  user?: boolean | Position | null;
  /** The same for what is sent to everybody. Without a token, call join({to: 'all'}). */
  all?: boolean | Position | null;
  /**
   * The tabs of an origin share one connection, in a SharedWorker. A tab has its own if there is no SharedWorker or no
   * navigator.locks (pages that are neither https nor of localhost), if the script is not of the page's own origin or
   * cannot be loaded, or with the option `WebSocket`. The token and the other options are those of the first tab; one of the
   * tabs is asked for later tokens. Default false.
   */
  shared?: boolean | Shared;
  /** The constructor of WebSockets. Default: the global one, which Node has from version 22. */
  WebSocket?: new (url: string, protocols?: string | string[]) => WebSocketLike;
  /**
   * With several URLs: the first attempt is for the first URL, and the others follow in this order. Default false: in a
   * random order, so that clients spread over the servers.
   */
  inOrder?: boolean;
  /** Minimum time between two connections, in milliseconds; after close code 1012 it may be shorter. Default 250. */
  retryMin?: number;
  /** Maximum time, in milliseconds. The time is random; its upper limit doubles with each failure of all URLs. Default 15,000. */
  retryMax?: number;
  /** Milliseconds of silence after which the client pings the server. Default 25,000. */
  pingInterval?: number;
  /** Milliseconds to wait for a connection to open or for a reply to a ping; then the client reconnects. Default 10,000. */
  pingTimeout?: number;
  /**
   * When a page becomes visible again, or its network available, the client pings the server at once: the connection may
   * have died while the machine slept. Without a reply within this time, in milliseconds, it reconnects. Default 3,000.
   */
  wakeTimeout?: number;
  /** Maximum number of pending requests. More are rejected with 'too_many_pending'. Default 10,000. */
  maxPending?: number;
}

/**
 * A client of the server `stormo`. Its promises stay pending while there is no connection, and are rejected with a
 * StormoError. Add a catch to each promise that you do not await: close() rejects all pending ones.
 */
export interface Stormo {
  /** 'waiting': until the next attempt to connect. 'closed': final. */
  readonly state: 'connecting' | 'open' | 'waiting' | 'closed';

  /** The URL of this connection or attempt; while waiting, of the next attempt. */
  readonly url: string;

  /** Of the token, as in the event 'welcome'. Undefined before it on each connection. */
  readonly id: string | undefined;
  readonly user: string | undefined;
  readonly groups: string[] | undefined;
  readonly expires: number | undefined;
  readonly info: Record<string, unknown> | undefined;

  /** Calls `handler` for each event of that name, until the returned function is called. */
  on<Name extends keyof StormoEvents>(name: Name, handler: StormoEvents[Name]): () => void;

  /**
   * Becomes a member of the group, and stays one over all connections until leave(). With the position of an earlier
   * client, the messages since then are emitted first. If the group is joined already, resolves with its current position.
   * If a join of it is in progress, resolves with that one; `position` is ignored.
   */
  join(target: Target, position?: Position | null): Promise<Joined>;

  /**
   * No message of the group reaches a handler after this call. Resolves when the server has replied, or the connection
   * is lost.
   */
  leave(target: Target): Promise<void>;

  /**
   * Resolves when the Channel has delivered the message: once, however often the connection breaks before. The sender
   * need not be a member. Messages are sent in the order of the calls. Bytes cannot be sent.
   */
  send(group: Group, message: Message): Promise<void>;

  /** Resolves when the server has replied. The client sends pings automatically; see pingInterval. */
  ping(): Promise<void>;

  /** The id of this client on this connection, and its user if there is one. The server also gives an id without a token. */
  whoami(): Promise<{id: string; user?: string}>;

  /**
   * Calls getToken at once, and shows the token on the open connection, or on the next one: for a user whose rights have
   * changed. Resolves when the server has accepted it; rejects with 'token_failed' or 'invalid_token'.
   */
  refresh(): Promise<Admission>;

  /** The latest position in a group that is joined, or is being joined with a position. */
  position(target: Target): Position | undefined;

  /** Closes the connection and the client, finally. Rejects all pending promises with 'closed'. */
  close(): void;
}

/**
 * Starts to connect to `ws://…` or `wss://…`, and reconnects until close(). With several URLs, which are those of the nodes
 * of one cluster, the next one follows when an attempt fails, and when a connection is lost unless the server has announced
 * that it can be reached again at once (close code 1012). Throws if a URL is invalid, or the list is empty.
 */
export function connect(url: string | readonly string[], options?: Options): Stormo;
