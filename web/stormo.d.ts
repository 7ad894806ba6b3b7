/** A group's name: 1 to 255 bytes in UTF-8. An integer stands for its decimal text. */
export type Group = string | number;

/** What JSON.stringify takes. A string is sent as it is, anything else as its JSON text. */
export type Message = string | number | boolean | null | object;

/** How far a client has got in a group. To be kept and given to join() as it is, and to be compared with nothing. */
export interface Position {
  epoch: string;
  offset: number;
}

export interface Joined extends Position {
  /**
   * Only of a join() with a position. True: everything since then has been given to the handlers of 'message' before.
   * False: messages may be lost, and 'gap' says so, too.
   */
  recovered?: boolean;
}

/** Handlers are called in the order in which things happen. What one throws is reported, and disturbs nothing. */
export interface StormoEvents {
  /** There is a connection. Groups are being joined again, and what was not replied to is being sent again. */
  open: () => void;
  /** A message of a joined group, once. It is bytes if another program sent what is no text. */
  message: (message: {group: string; message: string | Uint8Array; offset: number}) => void;
  /**
   * Messages of that group may have been missed: what was made of them has to be loaded anew. The position is the one
   * from which nothing is missed again.
   */
  gap: (gap: {group: string} & Position) => void;
  /**
   * A connection has ended, or none could be made. Another is tried in `retryIn` milliseconds; none if it is null, and
   * then this is the last event. Codes are in docs/v1-protocol.md; 1006 also stands for a server that no longer answers,
   * 1002 for one that does not keep to the protocol. If no connection could be made, `reason` is why, where the WebSocket
   * gives it: the package `ws` does ("Unexpected server response: 403"), browsers do not ("no connection").
   */
  close: (close: {code: number; reason: string; retryIn: number | null}) => void;
  /** What concerns no promise: 'wrong_protocol', 'protocol', or why a group, `error.group`, could not be joined again. */
  error: (error: StormoError) => void;
}

export type StormoErrorCode =
  /** close() was called, or the server does not speak stormo.v1. */
  | 'closed'
  /** `maxPending` requests wait already. */
  | 'too_many_pending'
  /** Of a join: leave() was called before it was done. */
  | 'left'
  /** Of a leave: join() was not called before, or was refused. */
  | 'not_joined'
  /** Of a send: the server has closed the connection, because the message is larger than it takes. */
  | 'too_big'
  /**
   * Event only: the server does not speak stormo.v1, as it twice accepted a connection without a subprotocol, and none
   * with it. The client is closed.
   */
  | 'wrong_protocol'
  /** Event only: the server said what it must not. The connection is made anew. */
  | 'protocol'
  /** Of the server; see docs/v1-protocol.md. */
  | 'wrong_type' | 'missing_field' | 'name_empty' | 'name_too_long' | 'too_many_groups' | 'id_not_greater'
  /** There may be more. */
  | (string & {});

export class StormoError extends Error {
  constructor(code: StormoErrorCode, message: string, group?: string);
  readonly code: StormoErrorCode;
  /** The group that it is about, if it is about one. */
  readonly group?: string;
}

/** What Stormo needs of a WebSocket: the browser's, Node's own and that of the package `ws` have it. */
export interface WebSocketLike {
  readonly protocol: string;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface Options {
  /** The constructor of WebSockets. Default: the global one, which Node has from version 22. */
  WebSocket?: new (url: string, protocol?: string) => WebSocketLike;
  /** The least time between two connections, in milliseconds (but for 1012, "come again at once"). Default 250. */
  retryMin?: number;
  /** The most, reached by doubling while it fails. In between it is drawn at random. Default 15,000. */
  retryMax?: number;
  /** After so many milliseconds in which nothing was received, the server is pinged. Default 25,000. */
  pingInterval?: number;
  /** A connection that so long does not open, or answer a ping, is given up for another. Default 10,000. */
  pingTimeout?: number;
  /**
   * When a page is shown again, or its network is back, the server is pinged at once: the connection may have died while the
   * machine slept. Without an answer for so many milliseconds it is given up for another. Default 3,000.
   */
  wakeTimeout?: number;
  /** So many requests may wait for their replies, or for a connection. Default 10,000. */
  maxPending?: number;
}

/**
 * A client of the server `stormo`. Its promises stay pending while there is no connection, and are rejected with a
 * StormoError. Whoever does not await one should catch it all the same, as close() rejects all of them.
 */
export interface Stormo {
  /** 'waiting': between two connections. 'closed': for good. */
  readonly state: 'connecting' | 'open' | 'waiting' | 'closed';

  /** Calls `handler` at each event of that name, until the function that comes back is called. */
  on<Name extends keyof StormoEvents>(name: Name, handler: StormoEvents[Name]): () => void;

  /**
   * Becomes a member of the group, and stays one over all connections until leave(). With the position at which a
   * former client was, its messages since come first. Of a group that is joined already, gives the present position;
   * while that is still under way, waits with the first caller, and `position` is ignored.
   */
  join(group: Group, position?: Position | null): Promise<Joined>;

  /**
   * No message of the group reaches a handler after this call. Done when the server has replied, or the connection is
   * lost.
   */
  leave(group: Group): Promise<void>;

  /**
   * Done when all members' servers have got the message: once, however often the connection breaks before. The sender
   * need not be a member. Messages go out in the order of the calls. Bytes cannot be sent.
   */
  send(group: Group, message: Message): Promise<void>;

  /** Done when the server has replied. The client does this by itself where it is needed. */
  ping(): Promise<void>;

  /** The last that is known of a group that is joined, or is being joined with a position. */
  position(group: Group): Position | undefined;

  /** Ends the connection and the client for good, and rejects all promises that are pending with 'closed'. */
  close(): void;
}

/** Begins to connect to `ws://…` or `wss://…`, and does so again until close(). Throws if that is no such URL. */
export function connect(url: string, options?: Options): Stormo;
