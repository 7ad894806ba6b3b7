// Tabs of web/stormo.js that share one connection, with a real server.
import assert from 'node:assert/strict';
import {after, before, beforeEach, afterEach, test} from 'node:test';

import {launchBrowser, skip, Stormo, timeout, until} from './stormo.mjs';

let stormo, browser, context;

before(async () => {
  if (skip) return;
  stormo = await Stormo.start('--workers', '2', '--history-groups', 'kept.*');
  browser = await launchBrowser();
});

after(async () => {
  if (skip) return;
  await browser?.close();
  assert.equal(await stormo?.stop(), 0);
});

beforeEach(async () => { if (!skip) context = await browser.newContext(); });
afterEach(async () => {
  if (skip) return;
  await context.close();
  await until(async () => (await connections()).length === 0);
});

const connections = () => stormo.workersOfClients();

// A tab with a client. `prepare` runs in it before.
async function openTab({prepare, ...options} = {}) {
  const page = await context.newPage();
  await page.goto(`http://${stormo.host}/stormo.js`);  // a page of the origin without a connection of its own
  if (prepare) await page.evaluate(prepare);
  await page.evaluate(async options => {
    const {connect} = await import('/stormo.js');
    globalThis.client = connect(`ws://${location.host}`, {shared: true, ...options});
    globalThis.events = [];
    for (const name of ['open', 'message', 'gap', 'close', 'error']) client.on(name, event => events.push({...event, name}));
  }, options);
  page.call = (method, ...args) => page.evaluate(async ([method, args]) => client[method](...args), [method, args]);
  page.textsOf = group => page.evaluate(group => events.filter(event => event.name === 'message' && event.group === group)
    .map(({message}) => message), group);
  page.eventsOf = name => page.evaluate(name => events.filter(event => event.name === name), name);
  return page;
}

const texts = (first, last) => Array.from({length: last - first + 1}, (_, at) => `${first + at}`);

async function send(tab, group, first, last) {
  for (const text of texts(first, last)) await tab.call('send', group, text);
}

test('two tabs have one connection, and each receives every message once and in order', {skip, timeout}, async () => {
  const tabs = [await openTab(), await openTab()];
  for (const tab of tabs) await tab.call('join', 'room');
  assert.equal((await connections()).length, 1);
  await Promise.all([send(tabs[0], 'room', 1, 20), send(tabs[1], 'room', 101, 120)]);
  await until(async () => (await Promise.all(tabs.map(tab => tab.textsOf('room')))).every(all => all.length >= 40));
  const [first, second] = await Promise.all(tabs.map(tab => tab.textsOf('room')));
  assert.deepEqual(first, second);
  for (const half of [texts(1, 20), texts(101, 120)]) assert.deepEqual(first.filter(text => half.includes(text)), half);
  assert.equal(first.length, 40);
  assert.equal((await tabs[1].eventsOf('open')).length, 1);
});

test('a tab receives messages of its own groups only', {skip, timeout}, async () => {
  const [first, second] = [await openTab(), await openTab()];
  for (const group of ['one', 'both']) await first.call('join', group);
  await second.call('join', 'both');
  await send(second, 'one', 1, 1);
  await send(second, 'both', 2, 2);
  await until(async () => (await second.textsOf('both')).length > 0);
  assert.deepEqual(await first.textsOf('one'), ['1']);
  assert.deepEqual(await second.textsOf('one'), []);
});

test('a group is left when its last tab leaves it or closes', {skip, timeout}, async () => {
  const members = async () => (await stormo.query('status')).processes
    .filter(({kind}) => kind === 'worker').reduce((sum, {groups}) => sum + (groups ?? 0), 0);
  const [first, second, third] = [await openTab(), await openTab(), await openTab()];
  for (const tab of [first, second, third]) await tab.call('join', 'left');
  await until(async () => await members() === 1);
  await first.call('leave', 'left');
  await send(third, 'left', 1, 1);
  await until(async () => (await third.textsOf('left')).length > 0);
  assert.deepEqual(await first.textsOf('left'), []);
  await second.close();
  await send(first, 'left', 2, 2);
  await until(async () => (await third.textsOf('left')).length > 1);
  await third.close({runBeforeUnload: false});
  await until(async () => await members() === 0);
  assert.equal((await connections()).length, 1);
  assert.equal(await first.evaluate(() => client.state), 'open');
});

test('a tab that joins at a position receives the missed messages, and others nothing twice', {skip, timeout}, async () => {
  const first = await openTab();
  await first.call('join', 'kept.1');
  await send(first, 'kept.1', 1, 5);
  await until(async () => (await first.textsOf('kept.1')).length === 5);
  const {epoch, offset} = (await first.eventsOf('message'))[1] && {...await first.call('position', 'kept.1'),
    offset: (await first.eventsOf('message'))[1].offset};

  const second = await openTab();
  let isJoined = false;
  const joined = second.call('join', 'kept.1', {epoch, offset}).finally(() => isJoined = true);
  let last = 5;
  do await send(first, 'kept.1', ++last, last); while (!isJoined);
  assert.equal((await joined).recovered, true);
  await send(first, 'kept.1', ++last, last);
  for (const [tab, from] of [[first, 1], [second, 3]]) {
    await until(async () => (await tab.textsOf('kept.1')).includes(`${last}`));
    assert.deepEqual(await tab.textsOf('kept.1'), texts(from, last));
    assert.deepEqual(await tab.eventsOf('gap'), []);
  }
  await until(async () => (await connections()).length === 1);
});

test('tabs stay members over a restart of the server, and miss nothing', {skip, timeout}, async () => {
  const tabs = [await openTab(), await openTab()];
  for (const tab of tabs) await tab.call('join', 'kept.2');
  await send(tabs[0], 'kept.2', 1, 3);
  await stormo.restart();
  await send(tabs[0], 'kept.2', 4, 6);
  for (const tab of tabs) {
    await until(async () => (await tab.textsOf('kept.2')).length >= 6);
    assert.deepEqual(await tab.textsOf('kept.2'), texts(1, 6));
    assert.ok((await tab.eventsOf('close')).length > 0);
    assert.equal(await tab.evaluate(() => client.state), 'open');
  }
  assert.equal((await connections()).length, 1);
});

test('another tab can connect after all have closed their clients', {skip, timeout}, async () => {
  const first = await openTab();
  await first.call('join', 'room');
  await first.call('close');
  assert.equal(await first.evaluate(() => client.state), 'closed');
  await until(async () => (await connections()).length === 0);
  const second = await openTab();
  await second.call('join', 'room');
  assert.equal((await connections()).length, 1);
});

for (const [what, prepare, options] of [
  ['without SharedWorker', () => { delete globalThis.SharedWorker; }],
  ['without Web Locks', () => { Object.defineProperty(navigator, 'locks', {value: undefined}); }],
  ['whose script cannot be loaded', () => {}, {shared: {script: '/absent.js'}}],
  ['whose script is of another origin', () => {}, {shared: {script: 'http://127.0.0.1:1/stormo.js'}}],
]) {
  test(`a tab ${what} has its own connection`, {skip, timeout}, async () => {
    const tabs = [await openTab({prepare, ...options}), await openTab({prepare, ...options})];
    for (const tab of tabs) await tab.call('join', 'room');
    assert.equal((await connections()).length, 2);
    await send(tabs[0], 'room', 1, 3);
    for (const tab of tabs) {
      await until(async () => (await tab.textsOf('room')).length >= 3);
      assert.deepEqual(await tab.textsOf('room'), texts(1, 3));
    }
    for (const tab of tabs) await tab.call('close');
  });
}
