// The page at "/", used as a person uses it.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {launchBrowser, onDifferentWorkers, skip, Stormo, timeout, until} from './stormo.mjs';

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

async function openWindow() {
  const page = await (await browser.newContext()).newPage();
  page.problems = [];
  page.on('pageerror', error => page.problems.push(error));
  page.on('console', line => line.type() === 'error' && page.problems.push(line.text()));
  await page.goto(`http://${stormo.host}/`);
  await page.getByText('open', {exact: true}).waitFor();
  return page;
}

async function join(page, group) {
  await page.getByLabel('Group to join').fill(group);
  await page.getByRole('button', {name: 'Join'}).click();
  await page.getByRole('button', {name: `${group} ✕`}).waitFor();
}

async function send(page, group, message) {
  await page.getByLabel('Group to send to').fill(group);
  await page.getByLabel('Message').fill(message);
  await page.getByRole('button', {name: 'Send'}).click();
}

const received = page => page.locator('#log .in').allTextContents();

// A join has no reply: a window is certainly a member when it has received a message.
async function untilBothReceive(sender, other, group) {
  await until(async () => {
    await send(sender, group, 'ready?');
    return (await received(other)).length > 0;
  });
}

test('both windows show a message that one of them sends to the group', {skip, timeout}, async () => {
  const [first, second] = await onDifferentWorkers(stormo, openWindow);
  await join(first, 'a room');
  await join(second, 'a room');
  await untilBothReceive(first, second, 'a room');

  await send(second, 'a room', 'Questo è un messaggio 🐦');
  await send(second, 'a room', 'the end');
  for (const page of [first, second]) {
    await until(async () => (await received(page)).includes('the end'));
    assert.deepEqual((await received(page)).filter(text => text !== 'ready?'), ['Questo è un messaggio 🐦', 'the end']);
    assert.deepEqual(page.problems, []);
  }
});

test('the default message is sent by one click', {skip, timeout}, async () => {
  const page = await openWindow();
  await page.getByRole('button', {name: 'Join'}).click();
  await page.getByRole('button', {name: 'Send'}).click();
  await page.locator('#log .in').waitFor();
  assert.deepEqual(await received(page), ['Questo è un messaggio']);
});

test('a window shows no message of a group that it has left', {skip, timeout}, async () => {
  const page = await openWindow();
  await join(page, 'left soon');
  await join(page, 'kept');
  await page.getByRole('button', {name: 'left soon ✕'}).click();
  await send(page, 'left soon', 'not for me');
  await send(page, 'kept', 'for me');
  await until(async () => (await received(page)).length > 0);
  assert.deepEqual(await received(page), ['for me']);
});

test('a message that looks like markup is shown as text', {skip, timeout}, async () => {
  const page = await openWindow();
  await join(page, 'markup');
  await send(page, 'markup', '<img src=x onerror="document.title=1">');
  await page.locator('#log .in').waitFor();
  assert.deepEqual(await received(page), ['<img src=x onerror="document.title=1">']);
  assert.equal(await page.locator('#log img').count(), 0);
});

test('an error is shown as an error', {skip, timeout}, async () => {
  const page = await openWindow();
  await page.getByLabel('Group to join').fill('é'.repeat(200));  // 400 bytes
  await page.getByRole('button', {name: 'Join'}).click();
  await page.locator('#log .error').waitFor();
  assert.match(await page.locator('#log .error').textContent(), /name_too_long/);
});

test('after a reload of the workers the page reconnects and joins its groups again', {skip, timeout}, async () => {
  const page = await openWindow();
  await join(page, 'again');
  stormo.child.kill('SIGUSR1');
  await page.locator('#log .note').waitFor();
  assert.match(await page.locator('#log .note').textContent(), /1012/);
  await page.getByText('open', {exact: true}).waitFor();
  await send(page, 'again', 'still a member');
  await page.locator('#log .in').waitFor();
  assert.deepEqual(await received(page), ['still a member']);
});
