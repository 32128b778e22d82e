// What the walk around the frame shares: its browser, its pictures, its small world.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { must, openBrowser, step } from './browser.mjs';
import { forms } from './forms.mjs';
import { accessible as looks, pictures } from './looks.mjs';

const parsed = parseArgs({ allowPositionals: true, options: { images: { type: 'string' }, pictures: { type: 'string' } } });
export const { values } = parsed;
export const base = parsed.positionals[0]?.replace(/\/$/, '');
if (base === undefined) {
  console.error('usage: node e2e/frame.mjs BASE [--images FOLDER] [--pictures FOLDER]');
  process.exit(2);
}
export const ui = `${base}/ui`;
export const { browser, page, complaints } = await openBrowser({ viewport: { width: 1280, height: 860 }, timezoneId: 'Asia/Seoul' });

export const picture = pictures(page, values.pictures);
export const accessible = (where) => looks(page, where);

/** The screen as it is at 390 pixels and in the dark. */
export async function small(name) {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark' });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  must(wide <= 390, `${name} is ${wide} pixels wide at 390`);
  await accessible(`${name} in the dark at 390`);
  await picture(`${name}-small`);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 860 });
}

export async function request(method, path, body) {
  const response = await fetch(base + path, { method, headers: { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  must(response.ok, `${method} ${path} answered ${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Jobs in somebody's name, followed to their end. */
export async function job(user, application, description, ...jobs) {
  const { ref } = await request('POST', '/tasks', { application, description, trigger: { user }, job: jobs });
  for (;;) {
    const { status, variables } = await request('GET', ref);
    if (status === 'SUCCEEDED') return;
    must(!['TERMINAL', 'CANCELED', 'STOPPED'].includes(status), `${description} ended ${status}: ${JSON.stringify(variables).slice(0, 500)}`);
    await new Promise((go) => setTimeout(go, 200));
  }
}

export const { place, field, kinds, trial } = forms(page);
export const dialog = page.locator('dialog[open]');
export const palette = page.locator('dialog.palette[open]');
export const option = (text) => palette.getByRole('option').filter({ hasText: text });

/** Opens the palette by key, types, and takes what is asked for by arrows and Enter. */
export async function find(typed, group, text) {
  await page.keyboard.press('Control+k');
  await palette.getByRole('combobox').pressSequentially(typed);
  const wanted = palette.locator(`[data-group=${group}] [role=option]`).filter({ hasText: text }).first();
  await wanted.waitFor();
  await palette.locator('[role=listbox][aria-busy=false]').waitFor();
  for (let at = 0; (await wanted.getAttribute('aria-selected')) !== 'true'; at += 1) {
    must(at < 40, `arrows do not reach "${text}" of ${group}`);
    await page.keyboard.press('ArrowDown');
  }
  const active = await palette.getByRole('combobox').getAttribute('aria-activedescendant');
  must((await wanted.getAttribute('id')) === active, 'the field does not name the chosen option');
  await page.keyboard.press('Enter');
  await palette.waitFor({ state: 'detached' });
}

export async function world() {
  await step('a small world is made', async () => {
    await job('kim', 'hello', 'Create Application: hello', { type: 'createApplication', application: { name: 'hello', email: 'terry@example.org', description: 'Says hello' } });
    await job('lee', 'hello', 'Create Load Balancer: hello', {
      type: 'upsertLoadBalancer', credentials: 'local', region: 'local', loadBalancerName: 'hello', portRange: '0',
      healthCheck: { healthCheckType: 'HTTP', requestPath: '/', checkIntervalSec: 0.5, timeoutSec: 1, healthyThreshold: 1, unhealthyThreshold: 2 },
    });
    await request('POST', '/pipelines', { application: 'hello', name: 'To the next version', stages: [{ refId: '1', requisiteStageRefIds: [], type: 'wait', name: 'Take a breath', waitTime: 1 }] });
    await request('POST', '/pipelines', { application: 'hello', name: 'Always fails', stages: [{ refId: '1', requisiteStageRefIds: [], type: 'checkPreconditions', name: 'Never', preconditions: [{ type: 'expression', failPipeline: true, context: { expression: 'false' } }] }] });
    for (const name of ['To the next version', 'Always fails']) await request('POST', `/pipelines/hello/${encodeURIComponent(name)}`, { type: 'manual', user: 'kim' });
    if (values.images !== undefined) {
      await job('lee', 'hello', 'Deploy hello', {
        type: 'deploy',
        clusters: [{ account: 'local', application: 'hello', region: 'local', image: resolve(values.images, 'hello-1.0'), capacity: { min: 2, max: 2, desired: 2 }, loadBalancers: ['hello'] }],
      });
    }
  });
}
