// The group-send program's own example, in a real browser: what a page writes down is what was sent.
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

// A page of no server, as somebody has it who tries things in the browser's console.
async function openPage() {
  const page = await browser.newPage();
  page.said = [];
  page.on('console', line => page.said.push(line.text()));
  return page;
}

test('two pages on different workers join 123, one sends, both log exactly that, once', {skip, timeout}, async () => {
  // Commands are not answered. So a page that has joined sends itself something, to know that it is a member by now.
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
  // Each page has to be alone in "only me": they are opened one after the other.
  const [first, second] = await onDifferentWorkers(stormo, open);

  await first.evaluate(() => ws.send('{"cmd":"send_to_group", "group_id":"123", "message":"Questo è un messaggio"}'));
  await until(() => first.said.length >= 1 && second.said.length >= 1);
  await second.evaluate(() => ws.send('{"cmd":"send_to_group", "group_id":"123", "message":"the end"}'));
  await until(() => first.said.includes('the end') && second.said.includes('the end'));
  assert.deepEqual(first.said, [message, 'the end']);
  assert.deepEqual(second.said, [message, 'the end']);
});

test('the code of the manual, pasted as it is, logs the message', {skip, timeout}, async () => {
  const paste = async () => {
    const page = await openPage();
    await page.evaluate(`
      ws = new WebSocket('ws://${stormo.host}');
      ws.onmessage = function(data){console.log(data.data)};
      ws.onopen = function() {
        ws.send('{"cmd":"add_group", "group_id":"from the manual"}');
        ws.send('{"cmd":"send_to_group", "group_id":"from the manual", "message":"Questo è un messaggio"}');
      };`);
    await until(() => page.said.length > 0);
    return page;
  };
  const first = await paste();
  assert.deepEqual(first.said, [message]);
  const second = await paste();
  await until(() => first.said.length >= 2);
  assert.deepEqual(first.said, [message, message]);
  assert.deepEqual(second.said, [message]);
});
