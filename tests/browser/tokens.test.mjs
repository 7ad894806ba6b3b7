// web/stormo.js with tokens, and a real server that checks them: in Node and in a page.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import WebSocketOfPackage from 'ws';

import {connect} from '../../web/stormo.js';
import {launchBrowser, skip, Stormo, timeout, until} from './stormo.mjs';

const secret = 's'.repeat(40);
const kEvents = ['open', 'welcome', 'message', 'gap', 'expiring', 'close', 'error'];
let stormo, browser, folder;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(path.join(tmpdir(), 'stormo-tokens-'));
  writeFileSync(path.join(folder, 'secret'), secret);
  stormo = await Stormo.start('--workers', '2', '--history-groups', '*', '--token-secret-file', path.join(folder, 'secret'),
    '--token-leeway-seconds', '0', '--token-grace-seconds', '1');
  browser = await launchBrowser();
});

after(async () => {
  if (skip) return;
  await browser?.close();
  assert.equal(await stormo?.stop(), 0);
  rmSync(folder, {recursive: true});
});

// A token of ada, valid for so many seconds.
function token(seconds, claims = {}) {
  const encode = object => Buffer.from(JSON.stringify(object)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const signed = `${encode({alg: 'HS256', typ: 'JWT'})}.${encode({sub: 'ada', exp, ...claims})}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

// `tokens` make those that getToken gives, one after another, and the last one again.
const giving = tokens => {
  let calls = 0;
  return () => tokens[Math.min(calls++, tokens.length - 1)]();
};

async function openInNode({tokens, ...options}) {
  if (tokens) options.getToken = giving(tokens);
  const client = connect(`ws://${stormo.host}`, {WebSocket: globalThis.WebSocket ?? WebSocketOfPackage, ...options});
  const events = [];
  const plain = event => event instanceof Error ? {code: event.code, message: event.message, group: event.group} : event;
  for (const name of kEvents) client.on(name, event => events.push({...plain(event), name}));
  return {
    call: async (method, ...args) => client[method](...args),
    property: async name => client[name],
    events: async () => events,
    count: async name => events.filter(event => event.name === name).length,
  };
}

async function openInChromium({tokens, ...options}) {
  const page = await browser.newPage();
  if (tokens) await page.exposeFunction('getToken', giving(tokens));
  await page.goto(`http://${stormo.host}/`);
  await page.evaluate(async ([names, options]) => {
    const {connect} = await import('/stormo.js');
    if (globalThis.getToken) options.getToken = getToken;
    globalThis.client = connect(`ws://${location.host}`, options);
    globalThis.events = [];
    const plain = event => event instanceof Error ? {code: event.code, message: event.message, group: event.group} : event;
    for (const name of names) client.on(name, event => events.push({...plain(event), name}));
  }, [kEvents, options]);
  return {
    call: (method, ...args) => page.evaluate(async ([method, args]) => {
      try {
        return await client[method](...args);
      } catch (error) {
        throw new Error(error.code);
      }
    }, [method, args]),
    property: name => page.evaluate(name => client[name], name),
    events: () => page.evaluate(() => events),
    count: name => page.evaluate(name => events.filter(event => event.name === name).length, name),
  };
}

const eventsOf = async (client, name) => (await client.events()).filter(event => event.name === name);
const untilEvent = (client, name, count = 1) => until(async () => await client.count(name) >= count);

for (const [place, open] of [['in Node', openInNode], ['in Chromium', openInChromium],
  ['in Chromium with a shared connection', options => openInChromium({...options, shared: {name: `${Math.random()}`}})]]) {
  const rights = {groups: ['news'], info: {name: 'Ada'}, rights: [{groups: 'chat.*'}]};

  test(`${place}, a token is renewed on the open connection, without loss`, {skip, timeout}, async () => {
    const client = await open({tokens: [() => token(8, rights), () => token(600, rights)]});
    const group = `chat.renewed ${place}`;
    await client.call('join', group);
    await untilEvent(client, 'welcome');
    assert.equal(await client.property('user'), 'ada');
    assert.deepEqual(await client.property('info'), {name: 'Ada'});
    const former = (await eventsOf(client, 'welcome'))[0].expires;
    let sent = 0;
    do await client.call('send', group, `${++sent}`);
    while (await client.count('welcome') < 2);
    const end = (former + 2) * 1000;  // of the former token and its grace period
    do await client.call('send', group, `${++sent}`);
    while (Date.now() < end);
    await untilEvent(client, 'message', sent);
    assert.deepEqual((await eventsOf(client, 'message')).map(({message}) => Number(message)),
      Array.from({length: sent}, (_, at) => at + 1));
    assert.equal((await eventsOf(client, 'open')).length, 1);
    for (const name of ['close', 'error', 'gap']) assert.deepEqual(await eventsOf(client, name), []);
    assert.ok(await client.property('expires') > former);
    await client.call('close');
  });

  test(`${place}, a token that is not accepted is replaced after 4401`, {skip, timeout}, async () => {
    const client = await open({tokens: [() => token(-60), () => token(600, rights)]});
    await client.call('join', 'chat.1');
    const [{code, reason}] = await eventsOf(client, 'close');
    assert.deepEqual({code, reason}, {code: 4401, reason: 'the token has expired'});
    assert.deepEqual(await eventsOf(client, 'error'), []);
    await client.call('close');
  });

  test(`${place}, a fixed token that is not accepted ends the client, with the reason`, {skip, timeout}, async () => {
    const client = await open({token: token(-60)});
    await until(async () => (await eventsOf(client, 'close')).some(({retryIn}) => retryIn === null));
    const [{code, message}] = await eventsOf(client, 'error');
    assert.deepEqual({code, message}, {code: 'invalid_token', message: 'the token has expired'});
    assert.equal((await eventsOf(client, 'close')).length, 1);
    assert.equal(await client.property('state'), 'closed');
  });

  test(`${place}, a refused join is rejected, and the groups of the token are joined`, {skip, timeout}, async () => {
    const client = await open({token: token(600, rights)});
    await assert.rejects(client.call('join', 'secret'), error => error.code === 'forbidden' || /forbidden/.test(error.message));
    await until(async () => await client.call('position', 'news') !== undefined);
    await client.call('join', 'chat.1');
    await client.call('send', 'chat.1', 'hello');
    await untilEvent(client, 'message');
    assert.deepEqual(await eventsOf(client, 'error'), []);
    await client.call('close');
  });

  test(`${place}, a token that is too long for a handshake is sent in a message`, {skip, timeout}, async () => {
    const client = await open({token: token(600, {...rights, more: 'x'.repeat(6000)})});
    await client.call('join', 'chat.1');
    await untilEvent(client, 'welcome');
    assert.deepEqual(await client.property('info'), {name: 'Ada'});
    await client.call('close');
  });
}

test('the page at / shows the token of its address to the server', {skip, timeout}, async () => {
  const page = await browser.newPage();
  await page.goto(`http://${stormo.host}/#token=${token(600, {rights: [{groups: 'chat'}]})}`);
  await page.getByText('open', {exact: true}).waitFor();
  await page.getByLabel('Group to join').fill('chat');
  await page.getByRole('button', {name: 'Join'}).click();
  await page.getByLabel('Group to send to').fill('chat');
  await page.getByRole('button', {name: 'Send'}).click();
  await page.locator('#log .in').waitFor();
  assert.deepEqual(await page.locator('#log .in').allTextContents(), ['Questo è un messaggio']);
  assert.ok(!(await page.locator('#log').textContent()).includes('refresh'));
});
