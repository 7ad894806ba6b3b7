// A backend for the tests: publishes events to the Channel in Workerman's dialect, as PHP does.
import {once} from 'node:events';
import {connect, createServer} from 'node:net';

// As serialize() of PHP writes it: strings, integers, booleans, and objects for its arrays.
function serialized(value) {
  if (typeof value === 'string') return `s:${Buffer.byteLength(value)}:"${value}";`;
  if (typeof value === 'number') return `i:${value};`;
  if (typeof value === 'boolean') return `b:${Number(value)};`;
  const isList = Array.isArray(value);
  const entries = Object.entries(value).map(([key, each]) => serialized(isList ? Number(key) : key) + serialized(each));
  return `a:${entries.length}:{${entries.join('')}}`;
}

// A port that is free now.
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Backend {
  #socket;

  static async connect(port) {
    const backend = new Backend();
    backend.#socket = connect(port, '127.0.0.1');
    await once(backend.#socket, 'connect');
    return backend;
  }

  publish(event, data) {
    const body = Buffer.from(serialized({type: 'publish', channels: [event], data}));
    const frame = Buffer.alloc(4 + body.length);
    frame.writeUInt32BE(frame.length);
    body.copy(frame, 4);
    this.#socket.write(frame);
  }

  // `to` is {user_id}, {client_id}, {all: true} or {group_id}.
  send(to, message) { this.publish('send_to_group', {...to, message}); }

  command(cmd, fields) { this.publish('stormo.control', {cmd, ...fields}); }

  end() { this.#socket.destroy(); }
}
