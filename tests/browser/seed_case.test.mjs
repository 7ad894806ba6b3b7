// The example of group sending, in a real browser: a page logs exactly the messages that were sent.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {launchBrowser, onDifferentWorkers, skip, Stormo, timeout, until} from './stormo.mjs';

const message = 'Questo è un messaggio';
let stormo, browser;

before(async () => {
  if (skip) return;
  stormo = await Stormo.start('--workers', '4');
  browser = await launchBrowser();
});

after(async () => {
  if (skip) return;
  await browser?.close();
  assert.equal(await stormo?.stop(), 0);
});

// A page without a server, as a user has who tries commands in the browser's console.
async function openPage() {
  const page = await browser.newPage();
  page.logged = [];
  page.on('console', line => page.logged.push(line.text()));
  return page;
}

test('two pages on different workers join 123, one sends, both log the message once', {skip, timeout}, async () => {
  // Commands have no replies. So a page that has joined sends a message to itself, to detect that it is a member.
  const open = async () => {
    const page = await openPage();
    await page.evaluate(host => new Promise(resolve => {
      globalThis.ws = new WebSocket(`ws://${host}`);
      ws.onopen = function() {
        ws.send('{"cmd":"add_group", "group_id":"123"}');
        ws.send('{"cmd":"add_group", "group_id":"only me"}');
        ws.send('{"cmd":"send_to_group", "group_id":"only me", "message":"joined"}');
      };
      ws.onmessage = function() {
        ws.send('{"cmd":"leave_group", "group_id":"only me"}');
        ws.onmessage = function(data){console.log(data.data)};
        resolve();
      };
    }), stormo.host);
    return page;
  };
  // The pages are opened one after the other, so that each is alone in "only me".
  const [first, second] = await onDifferentWorkers(stormo, open);

  await first.evaluate(() => ws.send('{"cmd":"send_to_group", "group_id":"123", "message":"Questo è un messaggio"}'));
  await until(() => first.logged.length >= 1 && second.logged.length >= 1);
  await second.evaluate(() => ws.send('{"cmd":"send_to_group", "group_id":"123", "message":"the end"}'));
  await until(() => first.logged.includes('the end') && second.logged.includes('the end'));
  assert.deepEqual(first.logged, [message, 'the end']);
  assert.deepEqual(second.logged, [message, 'the end']);
});

test('the code of the manual, pasted unchanged, logs the message', {skip, timeout}, async () => {
  const paste = async () => {
    const page = await openPage();
    await page.evaluate(`
      ws = new WebSocket('ws://${stormo.host}');
      ws.onmessage = function(data){console.log(data.data)};
      ws.onopen = function() {
        ws.send('{"cmd":"add_group", "group_id":"from the manual"}');
        ws.send('{"cmd":"send_to_group", "group_id":"from the manual", "message":"Questo è un messaggio"}');
      };`);
    await until(() => page.logged.length > 0);
    return page;
  };
  const first = await paste();
  assert.deepEqual(first.logged, [message]);
  const second = await paste();
  await until(() => first.logged.length >= 2);
  assert.deepEqual(first.logged, [message, message]);
  assert.deepEqual(second.logged, [message]);
});
