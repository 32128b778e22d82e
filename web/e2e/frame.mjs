// Walks what surrounds the other screens: the first start, the palette, Config, Projects, notifications, Settings, Activity.
//
//   node e2e/frame.mjs BASE [--images FOLDER] [--pictures FOLDER]
//
// BASE is the address of an empty server that may call this machine ([outgoing] allow = ["127.0.0.0/8"]). FOLDER of images has `hello-1.0`, a folder that can be deployed; without it nothing is deployed.

import { readFileSync } from 'node:fs';
import { conclude, must, step } from './browser.mjs';
import { deb } from './deb.mjs';
import { config, projects } from './frame-config.mjs';
import { notifications } from './frame-notifications.mjs';
import { accessible, base, browser, complaints, dialog, find, option, page, palette, picture, small, ui, world } from './frame-kit.mjs';

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
    await dialog.getByRole('alert').filter({ hasText: 'no systemd unit' }).waitFor();
    must(await page.locator('[data-confirm=up]').isDisabled(), 'what cannot run may be run');
    await accessible('a package that is no service');
    await page.locator('[data-repository]').click();
    await dialog.locator('[data-confirm=repository]').waitFor();
    must((await dialog.innerText()).includes('aptly repo create main && aptly repo add main helloterry_1.0_all.deb'), 'the dialog does not say the command');
    await accessible('the first repository');
    await page.locator('[data-confirm=repository]').click();
    await page.waitForURL(/\/repositories/);
    await page.locator('.repository').filter({ hasText: 'helloterry' }).waitFor();
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
    await picture.screen('palette');
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

async function settings() {
  await step('Settings shows the health of the account', async () => {
    await page.goto(`${ui}/settings`);
    await page.locator('[data-account=local][data-health=well]').waitFor();
    await page.locator('[data-account=local]').getByRole('button').click();
    must(page.url().includes('account=local'), `the open account is not in the address ${page.url()}`);
    await page.getByText('zones local-a, local-b').waitFor();
    await page.locator('[data-no-tokens]').waitFor();
    await page.locator('[data-notifiers]').getByText('webhook', { exact: true }).waitFor();
    await accessible('Settings');
    await picture.screen('settings');
    await small('settings');
  });

  await step('the time zone changes what is shown', async () => {
    const now = page.locator('[data-now]');
    must((await now.innerText()).includes('GMT+9'), `the own zone shows ${await now.innerText()}`);
    await page.locator('[data-choice=zone]').getByLabel('UTC', { exact: true }).check();
    must((await now.innerText()).endsWith('UTC'), `UTC shows ${await now.innerText()}`);
    await page.goto(`${ui}/applications`);
    const title = await page.locator('td time').first().getAttribute('title');
    must(title?.endsWith('UTC') === true, `a time on another screen is ${title}`);
    await picture.screen('applications');
    await page.goto(`${ui}/settings`);
    // The team's is UTC where the operator settled none.
    await page.locator('[data-choice=zone]').getByLabel('the team’s (UTC)').check();
    must((await now.innerText()).endsWith('UTC'), `the team's zone shows ${await now.innerText()}`);
    await page.reload();
    must(await page.locator('[data-choice=zone]').getByLabel('the team’s (UTC)').isChecked(), 'the choice is not kept');
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

async function tokens() {
  const row = (name) => page.locator(`[data-token="${name}"]`);
  const make = async (name) => {
    await page.locator('[data-make-token]').click();
    await dialog.getByLabel('Name').fill(name);
  };
  const made = async () => {
    await page.locator('[data-confirm=token]').click();
    const token = await page.locator('[data-made-token]').inputValue();
    must(/^gnk_[0-9a-f]{48}$/.test(token), 'the dialog does not show the token');
    return token;
  };
  const revoke = async (name, says) => {
    await page.locator(`[data-revoke="${name}"]`).click();
    await dialog.getByText(says).waitFor();
    must((await dialog.innerText()).includes(`gennaker token revoke ${name}`), 'the dialog does not say the command');
    await accessible(`revoking ${name}`);
    await page.locator('[data-confirm=revoke]').click();
    await row(name).waitFor({ state: 'detached' });
  };

  await step('the first token is an admin’s, and the page goes on with it', async () => {
    await page.goto(`${ui}/settings`);
    await make('a/b');
    await dialog.getByText('without a slash').waitFor();
    must(await page.locator('[data-confirm=token]').isDisabled(), 'a name with a slash could be given');
    await dialog.getByLabel('Name').fill('kim');
    await page.locator('[data-first]').waitFor();
    must((await dialog.getByLabel('Role').locator('option').allInnerTexts()).join() === 'admin', 'the first token may be another than an admin’s');
    must((await dialog.innerText()).includes('gennaker token create kim --role admin'), 'the dialog does not say the command');
    await accessible('making the first token');
    await picture('token-first');
    const token = await made();
    await page.locator('[data-kept=true]').waitFor();
    // The stream of before the first token was cut, and comes back with it.
    await page.locator('[data-stream=live]').waitFor();
    await accessible('the token, once');
    await picture('token-made');
    must((await fetch(`${base}/auth/user`)).status === 401, 'nobody needs the token');
    must((await fetch(`${base}/auth/user`, { headers: { authorization: `Bearer ${token}` } })).ok, 'the token opens nothing');
    await page.locator('[data-have-it]').click();
    await row('kim').waitFor();
    await page.locator('[data-user=kim]').waitFor();
    await page.reload();
    await page.locator('[data-user=kim]').waitFor();
    await page.locator('[data-stream=live]').waitFor();
  });

  await step('another one is for one application, and both are revoked', async () => {
    await make('ci');
    await dialog.getByLabel('Application').selectOption('hello');
    const token = await made();
    await page.keyboard.press('Escape');
    await row('ci').getByRole('link', { name: 'hello' }).waitFor();
    await row('ci').getByText('by kim').waitFor();
    const get = (path) => fetch(base + path, { headers: { authorization: `Bearer ${token}` } });
    must((await get('/applications/hello')).ok && (await get('/applications')).status === 403, 'the token is not for its application alone');
    await accessible('Settings with tokens');
    await picture.screen('settings-tokens');
    await small('settings with tokens');
    await revoke('ci', 'is turned away');
    must((await get('/applications/hello')).status === 401, 'the revoked token still opens the door');
    await revoke('kim', 'nobody needs a token');
    await page.locator('[data-no-tokens]').waitFor();
    await page.locator('[data-user=anonymous]').waitFor();
  });
}

async function activity() {
  const rows = page.locator('[data-happening]');
  await step('Activity shows what happened in all of it', async () => {
    await page.goto(`${ui}/activity`);
    for (const kind of ['run', 'task', 'repository', 'save']) await page.locator(`[data-happening=${kind}]`).first().waitFor();
    await accessible('Activity');
    await picture.screen('activity');
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
    // Nobody was told that it went well: this server sends no mail.
    await page.locator('[data-happening=notification]').filter({ hasText: 'team@example.org' }).first().waitFor();
    must((await page.locator('[data-happening=run]').filter({ hasText: 'To the next version' }).count()) === 0, 'what went well is shown among what failed');
    await page.goto(`${ui}/`);
    await page.locator('.home-run').filter({ hasText: 'Always fails' }).first().waitFor();
    await accessible('home');
    await picture('home-again');
    await small('home');
  });
}

// An application that was deleted answers 404, and the page shows its history instead; so does the old name of a project for a moment.
// A trial that does not arrive is answered 502.
await conclude({ browser, page, complaints }, 'the frame walk is done', async () => {
  await firstStart();
  await world();
  await finding();
  await config();
  await projects();
  await notifications();
  await settings();
  await tokens();
  await activity();
}, /404 .*\/(applications\/gone|projects\/Greetings)|502 .*\/notifiers\/test/);
