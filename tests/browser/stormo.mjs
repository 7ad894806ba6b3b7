// Starts and ends `stormo` on a free port, and Chromium, for one test file.
import {execFile, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {chromium} from 'playwright-core';

const program = process.env.STORMO ?? fileURLToPath(new URL('../../build/bin/stormo', import.meta.url));
const browser = process.env.CHROMIUM || '/usr/bin/chromium';

// The reason to skip these tests, for node:test's option `skip`. In CI they fail instead.
export const skip = !existsSync(browser) && !process.env.CI && `there is no Chromium at ${browser}`;

// Only for tests that hang, in milliseconds.
export const timeout = 60_000;

export class Stormo {
  static async start(...options) {
    const stormo = new Stormo(options);
    await stormo.#spawn('127.0.0.1:0');
    const {processes} = await stormo.query('status');
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

  // Resolves when all workers are replaced.
  async reload() {
    await promisify(execFile)(program, ['reload', '--runtime-dir', this.runtime]);
  }

  // Stops the server, and starts it again on the same port.
  async restart() {
    this.child.kill('SIGTERM');
    await this.ended;
    await this.#spawn(this.host);
  }

  // Kills all processes of these kinds, 'master', 'worker' or 'channel', in this order.
  async kill(...kinds) {
    const all = await Promise.all(kinds.map(kind => this.running(kind)));
    for (const {pid} of all.flat()) process.kill(pid, 'SIGKILL');
  }

  // Kills the Channel, and returns when another one runs.
  async replaceChannel() {
    const former = (await this.channel()).pid;
    process.kill(former, 'SIGKILL');
    await until(async () => (await this.channel()).pid !== former);
  }

  // Kills all processes, and starts the server again.
  async killAndStart() {
    await this.killAll();
    await this.startAgain();
  }

  async killAll() {
    await this.kill('master', 'channel', 'worker');
    await this.ended;
  }

  // On the same port, after all processes have ended.
  async startAgain() {
    await this.#spawn(this.host);
  }

  // The rows of `status` of that kind, without those whose process has ended: these have the pid 0.
  async running(kind) {
    return (await this.query('status')).processes.filter(each => each.kind === kind && each.pid > 0);
  }

  // The row of the Channel, once there is one.
  async channel() {
    let rows = [];
    await until(async () => (rows = await this.running('channel')).length > 0);
    return rows[0];
  }

  // Until `during` has ended, the Channel cannot extend its log, as if the disk were full.
  async withFullDisk(during) {
    const {pid} = await this.channel();
    const limit = bytes => promisify(execFile)('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);  // the soft one
    const segments = readdirSync(this.runtime, {recursive: true}).filter(name => /[0-9]{20}\.log$/.test(name));
    await limit(Math.max(...segments.map(name => statSync(path.join(this.runtime, name)).size)));
    try {
      await until(async () => (await this.channel()).log_blocked);
      await during();
    } finally {
      await limit('unlimited');
    }
    await until(async () => !(await this.channel()).log_blocked);
  }

  // The output of `status` or `connections`, as objects.
  async query(command) {
    const {stdout} = await promisify(execFile)(program, [command, '--json', '--runtime-dir', this.runtime]);
    return JSON.parse(stdout);
  }

  // The pid of the worker of each WebSocket client.
  async workersOfClients() {
    const {connections} = await this.query('connections');
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

// Calls `open`, which returns a connected page, until two pages are on different workers. Returns these two.
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

// Polls `holds` until it returns a true value.
export async function until(holds) {
  while (!await holds()) await new Promise(resolve => setTimeout(resolve, 10));
}
