// Clients of web/stormo.js at the nodes of a cluster: when a node is killed, its clients move to another one.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import WebSocketOfPackage from 'ws';

import {connect} from '../../web/stormo.js';
import {skip as skipAll, Stormo, timeout, until} from './stormo.mjs';

const natsServer = '/usr/sbin/nats-server';
const skip = skipAll || (!existsSync(natsServer) && !process.env.CI && `there is no ${natsServer}`);
const group = 'room.1';
let nats;
const nodes = [];

// One on a free port, with its messages in memory and in a directory of its own.
class Nats {
  static async start() {
    const nats = new Nats();
    nats.directory = mkdtempSync(path.join(tmpdir(), 'stormo.nats.'));
    const file = path.join(nats.directory, 'nats.conf');
    writeFileSync(file, `listen: "127.0.0.1:-1"\njetstream { store_dir: "${nats.directory}" }\n`);
    nats.child = spawn(natsServer, ['-c', file], {stdio: ['ignore', 'ignore', 'pipe']});
    nats.ended = new Promise(resolve => nats.child.once('close', resolve));
    let log = '';
    nats.child.stderr.on('data', data => log += data);
    await Promise.race([until(() => log.includes('Server is ready')), nats.ended]);
    const address = /client connections on (\S+)/.exec(log)?.[1];
    assert.ok(address, log);
    nats.url = `nats://${address}`;
    return nats;
  }

  async stop() {
    this.child.kill('SIGKILL');
    await this.ended;
    rmSync(this.directory, {recursive: true, force: true});
  }
}

before(async () => {
  if (skip) return;
  nats = await Nats.start();
  for (const name of ['h1', 'h2', 'h3']) {
    nodes.push(await Stormo.start('--workers', '1', '--cluster', nats.url, '--node', name, '--node-gone-seconds', '2',
      '--history-groups', 'room.*', '--history-messages', '100000', '--history-bytes', '8388608'));
  }
});

after(async () => {
  if (skip) return;
  for (const node of nodes) assert.equal(await node.stop(), 0);
  await nats?.stop();
});

// A client whose first node is the one at that place, and then the later ones.
function clientOf(first) {
  const urls = [...nodes.slice(first), ...nodes.slice(0, first)].map(({host}) => `ws://${host}`);
  const client = connect(urls, {WebSocket: globalThis.WebSocket ?? WebSocketOfPackage, inOrder: true});
  client.seen = [];
  client.on('message', ({message, offset}) => client.seen.push(`${offset} ${message}`));
  for (const name of ['gap', 'error']) client.on(name, event => client.seen.push(`${name} ${event?.message ?? ''}`));
  return client;
}

test('clients of a node that is killed move to another one, and miss nothing', {skip, timeout}, async () => {
  const clients = [0, 1, 2].map(clientOf);
  after(() => clients.forEach(client => client.close()));
  await Promise.all(clients.map(client => client.join(group)));

  // Each client sends, with up to 8 messages in flight, until all nodes have been killed and have started again.
  let isDone = false;
  let count = 0;
  const sendAll = clients.map(async (client, at) => {
    for (let number = 1; !isDone; number += 8) {
      const texts = Array.from({length: 8}, (_, i) => `${at}.${number + i}`);
      count += texts.length;
      await Promise.all(texts.map(text => client.send(group, text)));
    }
  });
  for (const [at, node] of nodes.entries()) {
    const was = clients[at].url;
    await node.killAll();
    await until(() => clients[at].state === 'open' && clients[at].url !== was);
    await node.startAgain();
    await until(() => isReady(node));
  }
  isDone = true;
  await Promise.all(sendAll);
  await until(() => clients.every(({seen}) => seen.length >= count));

  for (const client of clients) assert.deepEqual(client.seen, clients[0].seen);
  assert.equal(new Set(clients[0].seen).size, count);
  for (const at of [0, 1, 2]) {
    const own = clients[0].seen.map(line => line.split(' ')[1]).filter(text => text.startsWith(`${at}.`));
    assert.deepEqual(own, own.map((_, i) => `${at}.${i + 1}`));
  }
});

async function isReady(node) {
  return (await fetch(`http://${node.host}/ready`)).ok;
}
