// permessage-deflate with peers that others have written: npm's ws, Chromium and Debian's python3-websockets.
import assert from 'node:assert/strict';
import {execFile, execFileSync} from 'node:child_process';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import WebSocket from 'ws';

import {launchBrowser, skip, Stormo, timeout, until} from './stormo.mjs';

const long = JSON.stringify(Array.from({length: 500}, (_, i) => ({id: i, name: `name ${i}`, text: 'perché no?'})));
const python = '/usr/bin/python3';  // Debian's, which has its package
let stormo, browser;

before(async () => {
  if (skip) return;
  stormo = await Stormo.start('--workers', '2', '--deflate');
});

after(async () => {
  if (skip) return;
  await browser?.close();
  assert.equal(await stormo?.stop(), 0);
});

// The reason to skip the test of python3-websockets. In CI it fails instead.
function skipPython() {
  try {
    execFileSync(python, ['-c', 'import websockets'], {stdio: 'ignore'});
    return false;
  } catch {
    return !process.env.CI && 'python3-websockets is not installed';
  }
}

// A client of ws that has joined `group`, and what it has received since.
async function join(group, options) {
  const client = new WebSocket(`ws://${stormo.host}`, options);
  client.received = [];
  client.on('message', data => client.received.push(String(data)));
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
  // Commands have no replies: a message that it sends to itself shows that it is a member.
  const own = `own ${Math.random()}`;
  for (const group_id of [group, own]) client.send(JSON.stringify({cmd: 'add_group', group_id}));
  client.send(JSON.stringify({cmd: 'send_to_group', group_id: own, message: 'joined'}));
  await until(() => client.received.includes('joined'));
  client.received = [];
  return client;
}

test('members of ws with different offers, and one without, get the same messages', {skip, timeout}, async () => {
  const offers = [
    {perMessageDeflate: false},
    {perMessageDeflate: true},
    {perMessageDeflate: {threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true}},
    {perMessageDeflate: {threshold: 0, serverMaxWindowBits: 9, clientMaxWindowBits: 9}},
    {perMessageDeflate: {threshold: 0, serverMaxWindowBits: 12}},
  ];
  const members = await Promise.all(offers.map(offer => join('ws', offer)));
  members.forEach((member, i) => assert.equal(member.extensions, i === 0 ? '' : 'permessage-deflate'));

  const texts = [long, 'short', '', long, 'x'.repeat(100_000)];
  const readBefore = members.map(member => member._socket.bytesRead);
  for (const member of members) {
    for (const message of texts) member.send(JSON.stringify({cmd: 'send_to_group', group_id: 'ws', message}));
  }
  const count = texts.length * members.length;
  await until(() => members.every(member => member.received.length === count));
  for (const member of members) {
    assert.deepEqual(member.received, members[0].received);
    assert.deepEqual([...member.received].sort(),
                     members.flatMap(() => texts).sort());
  }
  // Each received several 100 KB, and only the first one all of them over the network.
  const bytes = members.map((member, i) => member._socket.bytesRead - readBefore[i]);
  for (const compressed of bytes.slice(1)) assert.ok(compressed < bytes[0] / 5, `${compressed} of ${bytes[0]} bytes`);
  members.forEach(member => member.close());
});

test('a message that inflates beyond the limit closes with 1009', {skip, timeout}, async () => {
  const client = await join('bomb', {perMessageDeflate: true});
  const closed = new Promise(resolve => client.once('close', resolve));
  client.send(Buffer.alloc(8 << 20));
  assert.equal(await closed, 1009);
});

test('Chromium negotiates it, and gets its messages back', {skip, timeout}, async () => {
  browser = await launchBrowser();
  const page = await browser.newPage();
  const witness = await join('browser', {perMessageDeflate: true});
  const [extensions, received] = await page.evaluate(([host, message]) => new Promise(resolve => {
    const client = new WebSocket(`ws://${host}`);
    client.onopen = () => {
      client.send(JSON.stringify({cmd: 'add_group', group_id: 'browser'}));
      client.send(JSON.stringify({cmd: 'send_to_group', group_id: 'browser', message}));
    };
    client.onmessage = event => resolve([client.extensions, event.data]);
  }), [stormo.host, long]);
  assert.match(extensions, /^permessage-deflate; server_no_context_takeover; client_no_context_takeover/);
  assert.equal(received, long);
  await until(() => witness.received.length > 0);
  assert.deepEqual(witness.received, [long]);
  witness.close();
});

test('python3-websockets gets its messages back with each of its offers', {skip: skip || skipPython(), timeout},
     async () => {
       const script = fileURLToPath(new URL('deflate_peer.py', import.meta.url));
       await promisify(execFile)(python, [script, stormo.host]);
     });
