// The servers to compare: the command that starts each on a port, and the generator's arguments for it.
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {connect, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
export const sendLimit = join(here, '../build/bin/send_limit');
export const stormo = process.env.STORMO ?? join(here, '../build/bin/stormo');

// All processes of a server share the first processor; the generator has the second.
const onServersProcessor = ['taskset', '-c', '0'];
export const onGeneratorsProcessor = ['taskset', '-c', '1'];

const configuredBy = (file, directory, port) => {
  const text = readFileSync(join(here, 'peers', file), 'utf8');
  const path = join(directory, file);
  writeFileSync(path, text.replaceAll('@DIRECTORY@', directory).replaceAll('@PORT@', port));
  return path;
};

export const servers = {
  stormo: {
    command: (port, directory) => [
      stormo, 'start', '--workers', '1', '--listen', `websocket://127.0.0.1:${port}`,
      '--runtime-dir', directory,
    ],
    url: (port) => `ws://127.0.0.1:${port}/`,
    clientArgs: [],
  },
  nchan: {
    command: (port, directory) =>
      ['/usr/sbin/nginx', '-p', directory, '-c', configuredBy('nchan.conf', directory, port)],
    url: (port) => `ws://127.0.0.1:${port}/group/{group}`,
    // nchan leaves Nagle's algorithm on: without immediate acknowledgements it repeatedly waits 40 ms.
    clientArgs: ['--join', '', '--publish', '{message}', '--quick-ack'],
  },
  nats: {
    command: (port, directory) => ['nats-server', '-c', configuredBy('nats.conf', directory, port)],
    url: (port) => `ws://127.0.0.1:${port}/`,
    // Several messages share a WebSocket frame, so they cannot be counted by bytes alone.
    clientArgs: [
      '--hello', 'CONNECT {"verbose":false}\r\n', '--hello-reply', 'INFO',
      '--join', 'SUB {group} 1\r\n', '--publish', 'PUB {group} {bytes}\r\n{message}\r\n',
      '--check-all',
    ],
  },
  'socket.io': {
    command: (port) => ['node', join(here, 'peers/socketio.mjs'), `${port}`],
    url: (port) => `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`,
    clientArgs: [
      '--hello', '40', '--hello-reply', '40', '--join', '42["join","{group}"]',
      '--publish', '42["send","{group}","{message}"]',
    ],
  },
  ws: {
    command: (port) => ['node', join(here, 'peers/ws.mjs'), `${port}`],
    url: (port) => `ws://127.0.0.1:${port}/`,
    clientArgs: [],
  },
};

const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const {port} = probe.address();
      probe.close(() => resolve(port));
    });
  });

const answers = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy(resolve(true)));
    socket.once('error', () => resolve(false));
  });

/** Starts a server, calls use(url, clientArgs) once it accepts connections, and stops it. */
export async function withServer(name, use) {
  const server = servers[name];
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'stormo-bench-'));
  const [command, ...args] = [...onServersProcessor, ...server.command(port, directory)];
  const child = spawn(command, args, {stdio: ['ignore', 'ignore', 'pipe']});
  let errors = '';
  child.stderr.on('data', (text) => (errors += text));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    while (!(await answers(port))) {
      const died = await Promise.race([ended.then(() => true), new Promise((r) => setTimeout(r, 20))]);
      if (died) throw new Error(`${name} did not start:\n${errors}`);
    }
    return await use(server.url(port), server.clientArgs);
  } finally {
    child.kill('SIGTERM');
    await ended;
    rmSync(directory, {recursive: true, force: true});
  }
}
