// The page of the walk through clusters and runs, and what its steps do again and again: look at a screen everywhere, open a dialog and confirm it.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { must, openBrowser } from './browser.mjs';
import { accessible as looks, pictures } from './looks.mjs';
import { PATIENCE } from './runs-world.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { images: { type: 'string' }, pictures: { type: 'string' } } });
export const base = positionals[0]?.replace(/\/$/, '');
if (base === undefined || values.images === undefined) {
  console.error('usage: node e2e/runs.mjs BASE --images FOLDER [--pictures FOLDER]');
  process.exit(2);
}
export const images = resolve(values.images);
export const under = `${base}/ui/applications/hello`;

export const { browser, page, complaints } = await openBrowser({ viewport: { width: 1280, height: 900 } });
page.setDefaultTimeout(60_000);

export const picture = pictures(page, values.pictures);
export const accessible = (where) => looks(page, where);

/** The same screen on a small display, in the dark and in Korean: it fits and has no barrier. */
export async function everywhere(where) {
  await accessible(where);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.locator('select.choice').selectOption('ko', { force: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  must(wide <= 390, `${where} is ${wide} pixels wide at 390`);
  await accessible(`${where}, small and dark`);
  await picture(`${where.replaceAll(' ', '-')}-small`);
  await page.locator('select.choice').selectOption('en', { force: true });
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 900 });
}

export const dialog = page.locator('dialog[open]');
export const row = (group) => page.locator(`.group-line[data-group="${group}"]`);

/** Opens the dialog of an action, looks at it, confirms it, and follows the task to its end. */
export async function act(name, { before, says = [], end = 'SUCCEEDED' } = {}) {
  await page.locator(`[data-act=${name}]`).first().click();
  await dialog.waitFor();
  must(page.url().includes(`act=${name}`), `the open dialog is not in the address ${page.url()}`);
  await before?.();
  const text = await dialog.innerText();
  for (const part of ['gennaker ', 'curl ', '/tasks', ...says]) must(text.includes(part), `the dialog does not say "${part}":\n${text}`);
  await accessible(`the dialog ${name}`);
  await picture(`act-${name}`);
  await dialog.locator(`[data-confirm=${name}]`).click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator(`[data-task-status=${end}]`).waitFor({ timeout: PATIENCE });
  must(/task=/.test(page.url()), 'the task is not in the address');
}

/** Opens the dialog of an action on a run, looks at it, and confirms it. */
export async function confirm(name, says) {
  await page.locator(`[data-act=${name}]`).click();
  await dialog.waitFor();
  const text = await dialog.innerText();
  for (const part of ['curl ', ...says]) must(text.includes(part), `the dialog ${name} does not say "${part}":\n${text}`);
  await accessible(`the dialog ${name}`);
  await picture(`run-${name}`);
  await dialog.locator(`[data-confirm=${name}]`).click();
  await dialog.waitFor({ state: 'detached' });
}
