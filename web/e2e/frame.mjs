// Walks what surrounds the other screens: the first start, the palette, Config, Projects, Settings, Activity.
//
//   node e2e/frame.mjs BASE [--images FOLDER] [--pictures FOLDER]
//
// BASE is the address of an empty server. FOLDER of images has `hello-1.0`, a folder that can be deployed; without it nothing is deployed.

import AxeBuilder from '@axe-core/playwright';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { must, openBrowser, step } from './browser.mjs';
import { deb } from './deb.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { images: { type: 'string' }, pictures: { type: 'string' } } });
const base = positionals[0]?.replace(/\/$/, '');
if (base === undefined) {
  console.error('usage: node e2e/frame.mjs BASE [--images FOLDER] [--pictures FOLDER]');
  process.exit(2);
}
const ui = `${base}/ui`;
const { browser, page, complaints } = await openBrowser({ viewport: { width: 1280, height: 860 }, timezoneId: 'Asia/Seoul' });

async function picture(name) {
  if (values.pictures === undefined) return;
  mkdirSync(values.pictures, { recursive: true });
  await page.waitForTimeout(150);
  await page.screenshot({ path: join(values.pictures, `${name}.png`) });
}

async function accessible(where) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter((one) => one.impact === 'serious' || one.impact === 'critical');
  const told = serious.map((one) => `${one.id}: ${one.help} at ${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')}`);
  must(serious.length === 0, `${where} has serious barriers:\n  ${told.join('\n  ')}`);
}

/** The screen as it is at 390 pixels and in the dark. */
async function small(name) {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark' });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  must(wide <= 390, `${name} is ${wide} pixels wide at 390`);
  await accessible(`${name} in the dark at 390`);
  await picture(`${name}-small`);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 860 });
}

async function request(method, path, body) {
  const response = await fetch(base + path, { method, headers: { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  must(response.ok, `${method} ${path} answered ${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Jobs in somebody's name, followed to their end. */
async function job(user, application, description, ...jobs) {
  const { ref } = await request('POST', '/tasks', { application, description, trigger: { user }, job: jobs });
  for (;;) {
    const { status, variables } = await request('GET', ref);
    if (status === 'SUCCEEDED') return;
    must(!['TERMINAL', 'CANCELED', 'STOPPED'].includes(status), `${description} ended ${status}: ${JSON.stringify(variables).slice(0, 500)}`);
    await new Promise((go) => setTimeout(go, 200));
  }
}

const dialog = page.locator('dialog[open]');
const palette = page.locator('dialog.palette[open]');
const option = (text) => palette.getByRole('option').filter({ hasText: text });

/** Opens the palette by key, types, and takes what is asked for by arrows and Enter. */
async function find(typed, group, text) {
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

async function firstStart() {
  await step('an empty server teaches how to begin', async () => {
    await page.goto(`${ui}/`);
    await page.locator('.first-card').nth(2).waitFor();
    await accessible('the first start');
    await picture('first');
    await small('first');
  });

  await step('a package file becomes a repository', async () => {
    await page.locator('.first-card input[type=file]').setInputFiles({ name: 'helloterry_1.0_all.deb', mimeType: 'application/vnd.debian.binary-package', buffer: deb('helloterry', '1.0') });
    await dialog.waitFor();
    must((await dialog.innerText()).includes('aptly repo create main && aptly repo add main helloterry_1.0_all.deb'), 'the dialog does not say the command');
    await accessible('the first repository');
    await page.locator('[data-confirm=repository]').click();
    await page.waitForURL(/\/repositories/);
    await page.locator('.repository').filter({ hasText: 'helloterry' }).waitFor();
  });
}

async function world() {
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

async function finding() {
  await step('the palette opens by key, and not where one types', async () => {
    await page.goto(`${ui}/applications`);
    await page.getByRole('link', { name: 'hello', exact: true }).waitFor();
    await page.getByRole('searchbox').first().focus();
    await page.keyboard.press('/');
    must((await palette.count()) === 0, '/ opens the palette while somebody types');
    await page.getByRole('searchbox').first().fill('');
    await page.locator('h1').first().click();
    await page.keyboard.press('/');
    await palette.waitFor();
    must(await palette.getByRole('combobox').evaluate((field) => field === document.activeElement && field.value === ''), 'the field of the palette is not ready for typing');
    await accessible('the palette');
    await picture('palette-empty');
    await page.keyboard.press('Escape');
    await palette.waitFor({ state: 'detached' });
    await page.locator('[data-finder]').click();
    await palette.waitFor();
    await page.keyboard.press('Escape');
  });

  await step('it finds an application', async () => {
    await find('hel', 'applications', 'hello');
    await page.waitForURL(/\/applications\/hello\/pipelines$/);
  });

  await step('it finds a pipeline', async () => {
    await find('version next', 'pipelines', 'To the next version');
    await page.waitForURL(/pipeline=To/);
    await page.locator('[data-pipeline="To the next version"] .pipeline-open[aria-expanded=true]').waitFor();
  });

  await step('it finds a package, a load balancer and a run', async () => {
    await find('terry 1.0', 'packages', 'helloterry');
    await page.waitForURL(/\/repositories\?q=helloterry/);
    await page.locator('.repository').filter({ hasText: '1.0' }).waitFor();
    await find('hello', 'loadBalancers', 'hello');
    await page.waitForURL(/\/load-balancers\?balancer=hello/);
    await find('always', 'runs', 'Always fails');
    await page.waitForURL(/\/runs\//);
  });

  await step('it remembers where one was, and knows the page itself', async () => {
    await page.keyboard.press('Control+k');
    await palette.locator('[data-group=recent] [role=option]').first().waitFor();
    must((await palette.locator('[data-group=recent] [role=option]').first().innerText()).includes('Always fails'), 'the last one is not the first');
    await picture('palette-recent');
    await palette.getByRole('combobox').fill('hello');
    await option('To the next version').first().waitFor();
    await accessible('the palette with results');
    await picture('palette');
    await small('palette');
    await palette.getByRole('combobox').fill('nothing has this name');
    await palette.getByText('Nothing has this name.').first().waitFor();
    await page.keyboard.press('Escape');
    await find('setti', 'screens', 'Settings');
    await page.waitForURL(/\/settings$/);
  });

  await step('an Enter that ends a composition goes nowhere', async () => {
    await page.keyboard.press('Control+k');
    const field = palette.getByRole('combobox');
    await field.fill('hello');
    await option('hello').first().waitFor();
    await field.evaluate((one) => one.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true })));
    must((await palette.count()) === 1, 'the Enter of the input method was taken for a choice');
    await page.keyboard.press('Escape');
    await palette.waitFor({ state: 'detached' });
  });
}

async function config() {
  await step('attributes are edited, and only what changed is sent', async () => {
    await page.goto(`${ui}/applications/hello/config`);
    await page.locator('[data-attribute=email]').filter({ hasText: 'terry@example.org' }).waitFor();
    await accessible('Config');
    await page.locator('[data-edit]').click();
    await dialog.waitFor();
    must(page.url().includes('edit=attributes'), `the open dialog is not in the address ${page.url()}`);
    await dialog.getByLabel('Owner’s e-mail').fill('nobody');
    await dialog.getByText('Write an address').waitFor();
    await dialog.getByLabel('Owner’s e-mail').fill('team@example.org');
    await dialog.getByLabel('Instance port').fill('8080');
    await dialog.getByLabel('Permissions').fill('{"READ": ["dev"]');
    await dialog.getByText('This is no JSON.').waitFor();
    must(await page.locator('[data-confirm=save]').isDisabled(), 'what is wrong could be saved');
    await dialog.getByLabel('Permissions').fill('');
    await dialog.locator('[data-change=email]').waitFor();
    must((await dialog.locator('[data-change]').count()) === 2, 'the dialog lists other changes than were made');
    await accessible('editing attributes');
    await picture('config-edit');
    await page.locator('[data-confirm=save]').click();
    await dialog.waitFor({ state: 'detached' });
    await page.locator('[data-attribute=email]').filter({ hasText: 'team@example.org' }).waitFor();
  });

  await step('a traffic guard is added, and one is taken away', async () => {
    for (const stack of ['*', 'old']) {
      await page.locator('[data-add-guard]').click();
      await dialog.getByLabel('Stack').fill(stack);
      if (stack === '*' && values.images !== undefined) await dialog.getByText('local/local hello').waitFor();
      await accessible('adding a guard');
      if (stack === '*') await picture('config-guard');
      await page.locator('[data-confirm=guard]').click();
      await dialog.waitFor({ state: 'detached' });
      await page.locator(`[data-guard="local/*/${stack}/*"]`).waitFor();
    }
    await page.locator('[data-guard="local/*/old/*"]').getByRole('button').click();
    await accessible('removing a guard');
    await page.locator('[data-confirm=unguard]').click();
    await page.locator('[data-guard="local/*/old/*"]').waitFor({ state: 'detached' });
    const { attributes } = await request('GET', '/applications/hello');
    must(attributes.trafficGuards.length === 1 && attributes.trafficGuards[0].stack === '*', `the server has the guards ${JSON.stringify(attributes.trafficGuards)}`);
  });

  await step('an earlier state is shown and restored', async () => {
    await page.getByRole('button', { name: 'Show state 1' }).click();
    must(page.url().includes('revision='), `the open state is not in the address ${page.url()}`);
    await page.locator('.state-body [data-change=email]').first().waitFor();
    await accessible('the history');
    await picture('config');
    await small('config');
    await page.locator('[data-state="1"]').getByRole('button', { name: 'Restore' }).click();
    must((await dialog.innerText()).includes('gennaker application restore hello --revision 1'), 'the dialog does not say the command');
    await accessible('restoring');
    await picture('config-restore');
    await page.locator('[data-confirm=restore]').click();
    await dialog.waitFor({ state: 'detached' });
    await page.locator('[data-attribute=email]').filter({ hasText: 'terry@example.org' }).waitFor();
    await page.getByText('No cluster is guarded.').waitFor();
  });

  await step('deleting names what is still there', async () => {
    await page.locator('[data-delete]').click();
    await dialog.getByText('1 load balancer').waitFor();
    await dialog.getByText('2 pipelines').waitFor();
    if (values.images !== undefined) must(await page.locator('[data-confirm=delete]').isDisabled(), 'an application with servers could be deleted');
    await accessible('deleting an application');
    await picture('config-delete');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  await step('a deleted application comes back with its pipelines', async () => {
    await job('kim', 'gone', 'Create Application: gone', { type: 'createApplication', application: { name: 'gone', email: 'kim@example.org' } });
    await request('POST', '/pipelines', { application: 'gone', name: 'Back again', stages: [] });
    await page.goto(`${ui}/applications/gone/config?edit=delete`);
    await dialog.getByText('Back again').waitFor();
    await page.locator('[data-confirm=delete]').click();
    await page.waitForURL(/\/applications$/);
    await page.goto(`${ui}/applications/gone/config`);
    await page.getByText('This application was deleted.').waitFor();
    await page.locator('[data-state="1"]').getByRole('button', { name: 'Restore' }).click();
    await page.locator('[data-confirm=restore]').click();
    await page.locator('[data-attribute=email]').filter({ hasText: 'kim@example.org' }).waitFor();
    must((await request('GET', '/applications/gone/pipelineConfigs')).length === 1, 'the pipeline did not come back');
  });
}

async function projects() {
  await step('a project is made', async () => {
    await page.goto(`${ui}/projects`);
    await page.locator('[data-new]').click();
    await dialog.getByLabel('Name').fill('Greetings');
    await dialog.getByLabel('Owner’s e-mail').fill('terry@example.org');
    await dialog.locator('[data-picker=Applications]').getByLabel('hello').check();
    await dialog.locator('[data-picker=Pipelines]').getByLabel('To the next version').check();
    await dialog.locator('[data-picker=Pipelines]').getByLabel('Always fails').check();
    await page.locator('[data-add-cluster]').click();
    must((await dialog.innerText()).includes('gennaker project save'), 'the dialog does not say the command');
    await accessible('making a project');
    await picture('project-make');
    await page.locator('[data-confirm=save]').click();
    await page.waitForURL(/\/projects\/Greetings$/);
  });

  await step('its dashboard shows pipelines with their runs, and what runs', async () => {
    await page.locator('[data-pipeline="Always fails"] .tone-bad').first().waitFor();
    await page.locator('[data-pipeline="To the next version"] .tone-well').first().waitFor();
    await page.locator('[data-cluster="local/*-*"]').waitFor();
    if (values.images !== undefined) await page.locator('[data-cluster="local/*-*"] .tone-well').first().waitFor();
    await accessible('the dashboard');
    await picture('project');
    await small('project');
    await request('POST', '/pipelines/hello/To%20the%20next%20version', { type: 'manual', user: 'lee' });
    await page.locator('[data-pipeline="To the next version"] .project-mark').first().waitFor();
  });

  await step('it is changed, and stands in the list', async () => {
    await page.locator('[data-edit]').click();
    await dialog.getByLabel('Name').fill('Greetings to all');
    await accessible('changing a project');
    await page.locator('[data-confirm=save]').click();
    await page.waitForURL(/\/projects\/Greetings/);
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'Greetings to all' }).waitFor();
    await page.getByRole('link', { name: 'Projects' }).first().click();
    await page.locator('[data-project="Greetings to all"]').waitFor();
    await accessible('Projects');
    await picture('projects');
  });
}

async function settings() {
  await step('Settings shows the health of the account', async () => {
    await page.goto(`${ui}/settings`);
    await page.locator('[data-account=local][data-health=well]').waitFor();
    await page.locator('[data-account=local]').getByRole('button').click();
    must(page.url().includes('account=local'), `the open account is not in the address ${page.url()}`);
    await page.getByText('zones local-a, local-b').waitFor();
    await accessible('Settings');
    await picture('settings');
    await small('settings');
  });

  await step('the time zone changes what is shown', async () => {
    const now = page.locator('[data-now]');
    must((await now.innerText()).includes('GMT+9'), `the own zone shows ${await now.innerText()}`);
    await page.locator('[data-choice=zone]').getByLabel('UTC').check();
    must((await now.innerText()).endsWith('UTC'), `UTC shows ${await now.innerText()}`);
    await page.goto(`${ui}/applications`);
    const title = await page.locator('td time').first().getAttribute('title');
    must(title?.endsWith('UTC') === true, `a time on another screen is ${title}`);
    await page.goto(`${ui}/settings`);
    await page.locator('[data-choice=zone]').getByLabel(/own \(/).check();
    must((await now.innerText()).includes('GMT+9'), 'the own zone does not come back');
  });

  await step('language and theme are changed there', async () => {
    await page.locator('[data-choice=theme]').getByLabel('dark').check();
    must((await page.evaluate(() => document.documentElement.dataset.theme)) === 'dark', 'the page is not dark');
    await page.locator('[data-choice=language]').getByLabel('한국어').check();
    await page.getByRole('heading', { name: '설정' }).waitFor();
    await accessible('Settings in Korean and in the dark');
    await picture('settings-korean-dark');
    await page.keyboard.press('Control+k');
    await palette.getByRole('combobox').fill('ㅍㄹㅈ');
    await option('프로젝트').first().waitFor();
    await page.keyboard.press('Escape');
    await page.locator('[data-choice=language]').getByLabel('English').check();
    await page.locator('[data-choice=theme]').getByLabel('as the system').check();
  });
}

async function activity() {
  const rows = page.locator('[data-happening]');
  await step('Activity shows what happened in all of it', async () => {
    await page.goto(`${ui}/activity`);
    for (const kind of ['run', 'task', 'repository', 'save']) await page.locator(`[data-happening=${kind}]`).first().waitFor();
    await accessible('Activity');
    await picture('activity');
    await small('activity');
  });

  await step('it is filtered by person, and the filter is in the address', async () => {
    await page.locator('[data-filter=who]').selectOption('kim');
    must(page.url().includes('who=kim'), `the filter is not in the address ${page.url()}`);
    await page.locator('[data-who=anonymous]').first().waitFor({ state: 'detached' });
    const people = new Set(await rows.evaluateAll((all) => all.map((one) => one.dataset.who)));
    must(people.size === 1 && people.has('kim'), `the filter by kim leaves ${[...people].join(', ')}`);
  });

  await step('what is shown is downloaded as CSV', async () => {
    const shown = await rows.count();
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator('[data-csv]').click()]);
    must(/^activity-.*\.csv$/.test(file.suggestedFilename()), `the file is called ${file.suggestedFilename()}`);
    const lines = readFileSync(await file.path(), 'utf8').trim().split('\r\n');
    must(lines.length === shown + 1, `the file has ${lines.length} lines for ${shown} rows`);
    must(lines.slice(1).every((line) => line.split(',')[1] === 'kim'), 'the file has rows of others');
  });

  await step('what failed can be found', async () => {
    await page.goto(`${ui}/activity?result=failed`);
    await rows.filter({ hasText: 'Always fails' }).first().waitFor();
    must((await rows.filter({ hasText: 'To the next version' }).count()) === 0, 'what went well is shown among what failed');
    await page.goto(`${ui}/`);
    await page.locator('.home-run').filter({ hasText: 'Always fails' }).waitFor();
    await accessible('home');
    await picture('home');
    await small('home');
  });
}

try {
  await firstStart();
  await world();
  await finding();
  await config();
  await projects();
  await settings();
  await activity();
  // An application that was deleted answers 404, and the page shows its history instead; so does the old name of a project for a moment.
  const faults = complaints.filter((one) => !/404 .*\/(applications\/gone|projects\/Greetings)/.test(one));
  must(faults.length === 0, `the page complained:\n  ${faults.join('\n  ')}`);
  console.log('the frame walk is done');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  for (const one of complaints) console.error(`  ${one}`);
  await page.screenshot({ path: 'walk-failed.png' }).catch(() => undefined);
  process.exitCode = 1;
} finally {
  await browser.close();
}
