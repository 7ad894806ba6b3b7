// compare.mjs [--cases ABC] [--servers stormo,nchan] [--runs 5] [--seconds 3] [--json FILE] [--write FILE]
//
// In each run, measures each case with each server, one after the other. Prints a table of medians with
// their spread, and each server's ratio to nchan. The server "send(2)" is not a server, but the limit of
// the kernel. --write puts the table into a Markdown file, between the lines "<!-- table -->" and
// "<!-- end of table -->".
import {spawn} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {cpus} from 'node:os';
import {parseArgs} from 'node:util';

import {cases, figureOf} from './cases.mjs';
import {onGeneratorsProcessor, sendLimit, servers, stormo, withServer} from './servers.mjs';

const kernel = 'send(2)';

const {values: options} = parseArgs({
  options: {
    cases: {type: 'string', default: Object.keys(cases).join('')},
    servers: {type: 'string', default: [...Object.keys(servers), kernel].join(',')},
    runs: {type: 'string', default: '5'},
    seconds: {type: 'string', default: '3'},
    json: {type: 'string'},
    write: {type: 'string'},
  },
});
const caseNames = [...options.cases];
const serverNames = options.servers.split(',');
for (const name of caseNames) if (!cases[name]) fail(`there is no case '${name}'`);
for (const name of serverNames) if (!servers[name] && name !== kernel) fail(`there is no server '${name}'`);
if (cpus().length < 2) fail('the server and the generator need a processor each');

function fail(why) {
  console.error(`compare: ${why}`);
  process.exit(2);
}

function run(words) {
  return new Promise((resolve, reject) => {
    const child = spawn(words[0], words.slice(1), {stdio: ['ignore', 'pipe', 'pipe']});
    let output = '';
    let errors = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (errors += text));
    // Status 1 with a report: the server lost or duplicated messages, which the report lists.
    child.once('close', (status) =>
      output ? resolve(JSON.parse(output)) : reject(new Error(errors || `status ${status}`)));
  });
}

const load = (url, clientArgs, caseName) =>
  run([
    ...onGeneratorsProcessor, stormo, 'bench', '--json', '--url', url,
    '--seconds', options.seconds, ...cases[caseName].args.split(' '), ...clientArgs,
  ]);

async function kernelsLimit({sockets, batch, frame, latency}) {
  if (latency) return null;
  const sends = await run([sendLimit, `${sockets}`, `${batch * frame}`, options.seconds]);
  return {delivered_per_second: sends * batch, flawless: true};
}

const reportOf = (server, caseName) =>
  server === kernel
    ? kernelsLimit(cases[caseName])
    : withServer(server, (url, clientArgs) => load(url, clientArgs, caseName));

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

const number = (value) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3));

async function measure() {
  const results = {};  // case → server → the reports of its runs
  for (let run = 1; run <= Number(options.runs); ++run) {
    for (const caseName of caseNames) {
      for (const server of serverNames) {
        const reports = ((results[caseName] ??= {})[server] ??= []);
        try {
          const report = await reportOf(server, caseName);
          if (!report) continue;
          reports.push(report);
          const faults = report.flawless ? '' : `  (${report.first_fault ?? 'incomplete'})`;
          console.error(`run ${run} ${caseName} ${server}: ${number(figureOf(caseName, report))}${faults}`);
        } catch (error) {
          console.error(`run ${run} ${caseName} ${server}: ${error.message.trim()}`);
        }
      }
    }
  }
  return results;
}

function cell(caseName, reports, nchan) {
  if (!reports?.length) return '–';
  const figures = reports.map((report) => figureOf(caseName, report));
  const middle = median(figures);
  const flawed = reports.some((report) => !report.flawless) ? ' †' : '';
  const spread = `${number(Math.min(...figures))} to ${number(Math.max(...figures))}`;
  const ratio = nchan ? ` · ${(middle / nchan).toFixed(2)} ×` : '';
  return `**${number(middle)}**${flawed} (${spread})${ratio}`;
}

function table(results) {
  const lines = [
    `| case | ${serverNames.join(' | ')} |`,
    `|---|${serverNames.map(() => '---').join('|')}|`,
  ];
  for (const name of caseNames) {
    const of = results[name];
    const nchan = of.nchan?.length && median(of.nchan.map((report) => figureOf(name, report)));
    const cells = serverNames.map((server) =>
      cell(name, of[server], server === 'nchan' ? 0 : nchan));
    const unit = cases[name].latency ? ' — p99, ms' : '';
    lines.push(`| ${name}: ${cases[name].what}${unit} | ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

function writeBetweenMarks(path, text) {
  const begin = '<!-- table -->\n';
  const end = '\n<!-- end of table -->';
  const page = readFileSync(path, 'utf8');
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) fail(`${path} has no place for the table`);
  writeFileSync(path, page.slice(0, from + begin.length) + text + page.slice(to));
}

const results = await measure();
const text = table(results);
console.log(text);
if (options.json) writeFileSync(options.json, JSON.stringify(results, null, 1));
if (options.write) writeBetweenMarks(options.write, text);
