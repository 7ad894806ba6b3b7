// `stormo` on a free port, and Chromium: what the tests here need, started and ended for one test file.
import {execFile, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {chromium} from 'playwright-core';

const program = process.env.STORMO ?? fileURLToPath(new URL('../../build/bin/stormo', import.meta.url));
const browser = process.env.CHROMIUM || '/usr/bin/chromium';

// Why these tests cannot run here, as node:test's option `skip` takes it; where it matters, they fail instead.
export const skip = !existsSync(browser) && !process.env.CI && `there is no Chromium at ${browser}`;

// Ends a test that hangs, and decides nothing else.
export const timeout = 60_000;

export class Stormo {
  static async start(...options) {
    const stormo = new Stormo(options);
    await stormo.#spawn('127.0.0.1:0');
    const {processes} = await stormo.ask('status');
    stormo.host = processes.find(process => process.kind === 'worker').listen.replace('websocket://', '');
    return stormo;
  }

  constructor(options) {
    this.options = options;
    this.runtime = mkdtempSync(path.join(tmpdir(), 'stormo.'));
  }

  #spawn(host) {
    const where = ['--listen', `websocket://${host}`, '--runtime-dir', this.runtime];
    this.child = spawn(program, ['start', ...where, ...this.options]);
    this.ended = new Promise(resolve => this.child.once('close', resolve));
    return this.#untilStarted();
  }

  #untilStarted() {
    return new Promise((resolve, reject) => {
      let output = '';
      this.child.stdout.on('data', data => {
        output += data;
        if (output.includes('Start success.')) resolve();
      });
      this.child.stderr.on('data', data => output += data);
      this.ended.then(status => reject(new Error(`stormo ended with ${status}: ${output}`)));
    });
  }

  // Done when all workers are new ones.
  async reload() {
    await promisify(execFile)(program, ['reload', '--runtime-dir', this.runtime]);
  }

  // Stops it, and starts it again for the same clients.
  async restart() {
    this.child.kill('SIGTERM');
    await this.ended;
    await this.#spawn(this.host);
  }

  // Kills all processes of these kinds, 'master', 'worker' or 'channel', in this order.
  async kill(...kinds) {
    const {processes} = await this.ask('status');
    for (const kind of kinds) {
      for (const each of processes.filter(each => each.kind === kind)) process.kill(each.pid, 'SIGKILL');
    }
  }

  // Leaves nobody the time to leave anything behind.
  async killAndStart() {
    await this.kill('master', 'channel', 'worker');
    await this.ended;
    await this.#spawn(this.host);
  }

  // `status` or `connections`, as objects.
  async ask(command) {
    const {stdout} = await promisify(execFile)(program, [command, '--json', '--runtime-dir', this.runtime]);
    return JSON.parse(stdout);
  }

  // The pids of the workers that have WebSocket clients, one for each client.
  async workersOfClients() {
    const {connections} = await this.ask('connections');
    return connections.filter(row => row.protocol === 'websocket' && row.state === 'ESTABLISHED').map(row => row.pid);
  }

  async stop() {
    this.child.kill('SIGTERM');
    const status = await this.ended;
    rmSync(this.runtime, {recursive: true, force: true});
    return status;
  }
}

export function launchBrowser() {
  return chromium.launch({
    executablePath: browser,
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'
    ],
  });
}

// Calls `open` (which lets a page connect, and gives it) until two pages are on different workers; gives these.
export async function onDifferentWorkers(stormo, open) {
  const pages = [];
  const workers = [];
  while (new Set(workers).size < 2) {
    const before = await stormo.workersOfClients();
    pages.push(await open());
    const after = await stormo.workersOfClients();
    for (const worker of before) after.splice(after.indexOf(worker), 1);
    workers.push(after[0]);
  }
  const other = workers.findIndex(worker => worker !== workers[0]);
  return [pages[0], pages[other]];
}

// Waits until `holds` gives something true; nothing tells of it, so it is asked again and again.
export async function until(holds) {
  while (!await holds()) await new Promise(resolve => setTimeout(resolve, 10));
}
