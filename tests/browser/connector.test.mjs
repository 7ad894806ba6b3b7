// Connector with ws:// against servers that others have written: npm's ws and Debian's python3-websockets.
import assert from 'node:assert/strict';
import {execFile, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createServer} from 'node:http';
import path from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {WebSocketServer} from 'ws';

import {skip, timeout} from './stormo.mjs';

const stormo = process.env.STORMO ?? fileURLToPath(new URL('../../build/bin/stormo', import.meta.url));
const program = path.join(path.dirname(stormo), 'connector_program');
const python = '/usr/bin/python3';  // Debian's, which has its package
const messageCount = 8;

// What the Connector has seen.
async function connect(port, ...options) {
  const {stdout} = await promisify(execFile)(program, [`ws://127.0.0.1:${port}/a/path?x=%20`, ...options]);
  return JSON.parse(stdout);
}

// A server of ws on a free port, which echoes until the test ends.
async function serve(t, options = {}) {
  const server = new WebSocketServer({host: '127.0.0.1', port: 0, ...options});
  await once(server, 'listening');
  server.on('connection', (socket, request) => {
    server.request = request;
    socket.on('message', (data, isBinary) => socket.send(data, {binary: isBinary}));
    server.closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)]);
  });
  t.after(() => server.close());
  return server;
}

function skipPython() {
  try {
    execFileSync(python, ['-c', 'import websockets'], {stdio: 'ignore'});
    return false;
  } catch {
    return !process.env.CI && 'python3-websockets is not installed';
  }
}

test('ws echoes with each kind of compression', {skip, timeout}, async t => {
  const deflates = [
    false,
    true,
    {threshold: 0},
    {threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true},
    {threshold: 0, serverMaxWindowBits: 9, clientMaxWindowBits: 9},
  ];
  for (const perMessageDeflate of deflates) {
    const server = await serve(t, {perMessageDeflate});
    for (const deflate of ['none', 'single', 'context']) {
      const seen = await connect(server.address().port, '--deflate', deflate);
      const context = `${JSON.stringify(perMessageDeflate)} ${deflate} ${JSON.stringify(seen)}`;
      assert.equal(seen.received, messageCount, context);
      assert.equal(seen.mismatch, undefined, context);
      assert.equal(seen.code, 4001, context);
      assert.deepEqual(await server.closed, [4001, 'done'], context);
      const compressed = perMessageDeflate !== false && deflate !== 'none';
      assert.equal(seen.bytesWritten < 120_000, compressed, context);
      assert.equal(seen.bytesRead < 120_000, compressed, context);
    }
  }
});

test('ws sees path, headers and subprotocols, and chooses one', {skip, timeout}, async t => {
  const server = await serve(t, {handleProtocols: offered => [...offered][1]});
  const {port} = server.address();
  const seen = await connect(port, '--subprotocol', 'a', '--subprotocol', 'b', '--header', 'X-Test', 'yes');
  assert.equal(seen.subprotocol, 'b');
  assert.equal(server.request.url, '/a/path?x=%20');
  assert.equal(server.request.headers.host, `127.0.0.1:${port}`);
  assert.equal(server.request.headers['x-test'], 'yes');
});

test('a refusal of ws, and of plain HTTP, is an error with its status', {skip, timeout}, async t => {
  const server = await serve(t, {verifyClient: (info, done) => done(false, 401)});
  const refused = await connect(server.address().port);
  assert.equal(refused.error, 'WebSocket handshake: the server answered 401 Unauthorized');

  const http = createServer((request, response) => response.writeHead(404).end('no such page'));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => http.close());
  const missing = await connect(http.address().port);
  assert.equal(missing.error, 'WebSocket handshake: the server answered 404 Not Found');
});

test('a close by ws has its code and reason, after fragments and pings', {skip, timeout}, async t => {
  const server = new WebSocketServer({host: '127.0.0.1', port: 0});
  await once(server, 'listening');
  t.after(() => server.close());
  let pong;
  server.on('connection', socket => {
    socket.send('one, ', {fin: false});
    socket.ping('are you there?');
    socket.send('two', {fin: true});
    socket.once('pong', data => {
      pong = String(data);
      socket.close(4002, 'perché no');
    });
  });
  const seen = await connect(server.address().port, '--receive-only');
  assert.equal(pong, 'are you there?');
  assert.equal(seen.received, 1);
  assert.equal(seen.code, 4002);
  assert.equal(seen.reason, 'perché no');
});

test('python3-websockets echoes with each kind of compression', {skip: skip || skipPython(), timeout}, async t => {
  const script = fileURLToPath(new URL('connector_peer.py', import.meta.url));
  for (const kind of ['none', 'single', 'context', 'small-windows']) {
    const server = spawn(python, [script, kind], {stdio: ['pipe', 'pipe', 'inherit']});
    t.after(() => server.kill());
    const port = Number(String(await once(server.stdout, 'data')));
    for (const deflate of ['none', 'single', 'context']) {
      const seen = await connect(port, '--deflate', deflate, '--subprotocol', 'chat.v1');
      const context = `${kind} ${deflate} ${JSON.stringify(seen)}`;
      assert.equal(seen.received, messageCount, context);
      assert.equal(seen.mismatch, undefined, context);
      assert.equal(seen.subprotocol, 'chat.v1', context);
      assert.equal(seen.code, 4001, context);
      assert.equal(seen.bytesWritten < 120_000, kind !== 'none' && deflate !== 'none', context);
    }
    server.stdin.end();
    await once(server, 'close');
  }
});
