// web/stormo.js with messages to users, to everybody and to one client, and with the commands of a backend: in Node, in a
// page, and in two tabs that share a connection.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import WebSocketOfPackage from 'ws';

import {connect} from '../../web/stormo.js';
import {Backend, freePort} from './backend.mjs';
import {launchBrowser, skip, Stormo, timeout, until} from './stormo.mjs';

const secret = 's'.repeat(40);
const kEvents = ['open', 'welcome', 'message', 'missed', 'gap', 'joined', 'left', 'info', 'close', 'error'];
let stormo, browser, backend, folder, port;
let lastUser = 0;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(path.join(tmpdir(), 'stormo-users-'));
  writeFileSync(path.join(folder, 'secret'), secret);
  port = await freePort();
  stormo = await Stormo.start('--workers', '2', '--history-groups', '*', '--token-secret-file', path.join(folder, 'secret'),
    '--channel-listen', `frame://127.0.0.1:${port}`);
  backend = await Backend.connect(port);
  browser = await launchBrowser();
});

after(async () => {
  if (skip) return;
  backend?.end();
  await browser?.close();
  assert.equal(await stormo?.stop(), 0);
  rmSync(folder, {recursive: true});
});

function token(user, claims = {}) {
  const encode = object => Buffer.from(JSON.stringify(object)).toString('base64url');
  const signed = `${encode({alg: 'HS256', typ: 'JWT'})}.${encode({sub: user, exp: Math.floor(Date.now() / 1000) + 600, ...claims})}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const newUser = () => `user ${++lastUser}`;

async function openInNode(user, options = {}) {
  const client = connect(`ws://${stormo.host}`, {WebSocket: globalThis.WebSocket ?? WebSocketOfPackage,
    getToken: () => token(user, options.claims), ...options});
  const events = [];
  for (const name of kEvents) client.on(name, event => events.push({...event, code: event?.code, name}));
  const opened = {
    call: async (method, ...args) => client[method](...args),
    property: async name => client[name],
    events: async () => events,
    end: async () => client.close(),
  };
  return untilJoined(opened);
}

async function openInChromium(user, {context = browser, ...options} = {}) {
  const page = await context.newPage();
  await page.exposeFunction('getToken', () => token(user, options.claims));
  await page.goto(`http://${stormo.host}/stormo.js`);
  await page.evaluate(async ([names, options]) => {
    const {connect} = await import('/stormo.js');
    globalThis.client = connect(`ws://${location.host}`, {getToken, ...options});
    globalThis.events = [];
    for (const name of names) client.on(name, event => events.push({...event, code: event?.code, name}));
  }, [kEvents, options]);
  return untilJoined({
    call: (method, ...args) => page.evaluate(async ([method, args]) => client[method](...args), [method, args]),
    property: name => page.evaluate(name => client[name], name),
    events: () => page.evaluate(() => events),
    end: () => page.close(),
  });
}

// Until its user and everybody are joined, by itself.
async function untilJoined(client) {
  for (const to of ['user', 'all']) await until(() => client.call('position', {to}));
  return client;
}

const eventsOf = async (client, name) => (await client.events()).filter(event => event.name === name);
const messagesOf = async client => (await eventsOf(client, 'message')).map(({group, to, message}) => `${group ?? to}: ${message}`);
const untilMessages = (client, count) => until(async () => (await messagesOf(client)).length >= count);
const texts = (to, first, last) => Array.from({length: last - first + 1}, (_, at) => `${to}: ${first + at}`);

// Each opens the clients of one user that must all receive the same.
const places = [
  ['in Node', async user => [await openInNode(user)]],
  ['in Chromium', async user => [await openInChromium(user)]],
  ['in two tabs with one connection', async user => {
    const context = await browser.newContext();
    const tabs = [];
    while (tabs.length < 2) tabs.push(await openInChromium(user, {context, shared: {name: user}}));
    assert.equal(await tabs[0].property('id'), await tabs[1].property('id'));
    return tabs;
  }],
];

for (const [place, open] of places) {
  const run = (what, body) => test(`${place}, ${what}`, {skip, timeout}, async () => {
    const user = newUser();
    const clients = await open(user);
    await body(clients, user);
    for (const client of clients) {
      for (const name of ['gap', 'error']) assert.deepEqual(await eventsOf(client, name), []);
      await client.end();
    }
  });

  run('messages to the user, to everybody and to the client arrive once', async (clients, user) => {
    backend.send({user_id: user}, 'mail');
    backend.send({user_id: 'nobody'}, 'of another');
    backend.send({all: true}, 'news');
    backend.send({client_id: await clients[0].property('id')}, 'secret');
    backend.send({user_id: user}, 'last');
    for (const client of clients) {
      await until(async () => (await messagesOf(client)).includes('user: last'));
      assert.deepEqual((await messagesOf(client)).sort(), ['all: news', 'client: secret', 'user: last', 'user: mail']);
    }
  });

  run('no message to the user is missing or comes twice over a restart', async (clients, user) => {
    for (let number = 1; number <= 3; ++number) backend.send({user_id: user}, `${number}`);
    for (const client of clients) await untilMessages(client, 3);
    backend.end();
    await stormo.restart();
    backend = await Backend.connect(port);
    for (let number = 4; number <= 6; ++number) backend.send({user_id: user}, `${number}`);
    for (const client of clients) {
      await untilMessages(client, 6);
      assert.deepEqual(await messagesOf(client), texts('user', 1, 6));
      assert.ok((await eventsOf(client, 'close')).length > 0);
    }
  });

  run('the backend lets the client join and leave a group, and sets its info', async (clients, user) => {
    const group = `room of ${user}`;
    backend.command('join', {user, group});
    backend.send({group_id: group}, '1');
    for (const client of clients) {
      await untilMessages(client, 1);
      assert.deepEqual((await eventsOf(client, 'joined')).map(each => each.group), [group]);
    }
    backend.command('info', {user, info: {name: 'Ada'}});
    backend.command('leave', {user, group});
    backend.send({group_id: group}, '2');
    backend.send({user_id: user}, 'end');
    for (const client of clients) {
      await untilMessages(client, 2);
      assert.deepEqual(await client.property('info'), {name: 'Ada'});
      assert.deepEqual((await eventsOf(client, 'left')).map(each => each.group), [group]);
      assert.deepEqual(await messagesOf(client), [`${group}: 1`, 'user: end']);
    }
  });

  run('refresh shows another token on the same connection', async clients => {
    const before = await clients[0].property('id');
    assert.equal((await clients[0].call('refresh')).id, before);
    assert.deepEqual(await clients[0].call('whoami'), {id: before, user: await clients[0].property('user')});
    for (const client of clients) assert.equal((await eventsOf(client, 'close')).length, 0);
    await until(async () => (await eventsOf(clients.at(-1), 'welcome')).length >= 2);
  });
}

for (const [place, open] of [['in Node', openInNode], ['in Chromium', openInChromium]]) {
  test(`${place}, a stored position gets what was sent to the user while it was offline`, {skip, timeout}, async () => {
    const user = newUser();
    const former = await open(user);
    backend.send({user_id: user}, '1');
    await untilMessages(former, 1);
    const position = await former.call('position', {to: 'user'});
    await former.end();
    for (let number = 2; number <= 4; ++number) backend.send({user_id: user}, `${number}`);
    const latter = await open(user, {user: position});
    await untilMessages(latter, 3);
    assert.deepEqual(await messagesOf(latter), texts('user', 2, 4));
    await latter.end();
  });

  test(`${place}, a group of the backend is kept over a restart if the token allows it, else dropped`, {skip, timeout}, async () => {
    const user = newUser();
    const [kept, dropped] = [`kept.${user}`, `dropped.${user}`];
    const client = await open(user, {claims: {rights: [{groups: 'kept.*'}]}});
    for (const group of [kept, dropped]) backend.command('join', {user, group});
    for (const group of [kept, dropped]) backend.send({group_id: group}, '1');
    await untilMessages(client, 2);
    backend.end();
    await stormo.restart();
    backend = await Backend.connect(port);
    for (const group of [dropped, kept]) backend.send({group_id: group}, '2');
    await untilMessages(client, 3);
    assert.deepEqual((await messagesOf(client)).slice(2), [`${kept}: 2`]);
    await until(async () => (await eventsOf(client, 'error')).length > 0);
    assert.deepEqual((await eventsOf(client, 'error')).map(({code, group}) => [code, group]), [['forbidden', dropped]]);
    assert.equal(await client.call('position', dropped) ?? null, null);
    await client.end();
  });
}

test('tabs notice that the shared worker was ended, make another one, and miss nothing', {skip, timeout}, async () => {
  const user = newUser();
  const context = await browser.newContext();
  const claims = {rights: [{groups: 'room.*'}]};
  const tabs = [];
  while (tabs.length < 2) tabs.push(await openInChromium(user, {context, claims, shared: {name: user}}));
  for (const tab of tabs) await tab.call('join', 'room.1');
  backend.send({user_id: user}, '1');
  for (const tab of tabs) await untilMessages(tab, 1);
  const session = await browser.newBrowserCDPSession();
  const workers = async () => (await session.send('Target.getTargets', {filter: [{}]})).targetInfos
    .filter(({type, title, url}) => type === 'shared_worker' && `${title} ${url}`.includes('stormo'));
  const [{targetId}] = (await workers()).slice(-1);
  await session.send('Target.closeTarget', {targetId});
  backend.send({user_id: user}, '2');
  for (const tab of tabs) {
    await until(async () => (await eventsOf(tab, 'close')).length > 0);
    await until(async () => (await tab.property('state')) === 'open');
  }
  await tabs[0].call('send', 'room.1', 'in the group');
  backend.send({user_id: user}, '3');
  for (const tab of tabs) {
    await untilMessages(tab, 4);
    const messages = await messagesOf(tab);
    assert.deepEqual(messages.filter(each => each.startsWith('user')), texts('user', 1, 3));
    assert.equal(messages.filter(each => each === 'room.1: in the group').length, 1);
    for (const name of ['gap', 'error']) assert.deepEqual(await eventsOf(tab, name), []);
  }
  assert.equal(await tabs[0].property('id'), await tabs[1].property('id'));
  for (const tab of tabs) await tab.end();
});
