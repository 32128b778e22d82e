// Walks the page as a newcomer does, in a real browser, and takes the pictures that README shows.
//
//   node e2e/walk.mjs BASE [--application NAME] [--pipeline NAME] [--pictures FOLDER]
//
// BASE is the address of a server that has an application with a server group, a load balancer and a pipeline with a manual judgment.

import { parseArgs } from 'node:util';
import { conclude, must, openBrowser, step } from './browser.mjs';
import { accessible as looks, pictures } from './looks.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    application: { type: 'string', default: 'hellospinnaker' },
    pipeline: { type: 'string' },
    pictures: { type: 'string' },
    limit: { type: 'string', default: '120' },
    // A package that the newest operation on a repository took away.
    undo: { type: 'string' },
    // A package file to add to the first repository.
    upload: { type: 'string' },
  },
});
const base = positionals[0]?.replace(/\/$/, '');
if (base === undefined) {
  console.error('usage: node e2e/walk.mjs BASE [--application NAME] [--pipeline NAME] [--pictures FOLDER]');
  process.exit(2);
}
const { application } = values;
const LIMIT = Number(values.limit) * 1000;
const under = `${base}/ui/applications/${encodeURIComponent(application)}`;

const { browser, context, page, complaints } = await openBrowser();

const picture = pictures(page, values.pictures);
const accessible = (where) => looks(page, where);

async function live() {
  await page.waitForSelector('[data-stream=live]');
}

/** Goes on once `found` is there; on the way every judgment but the first is answered by the page's own button. */
async function untilEnded() {
  const ended = page.locator('[data-run-status=SUCCEEDED], [data-run-status=TERMINAL], [data-run-status=CANCELED]');
  const asked = page.locator('[data-judge=continue]:not([disabled])');
  const deadline = Date.now() + LIMIT;
  for (;;) {
    await ended.or(asked).first().waitFor({ timeout: Math.max(1, deadline - Date.now()) });
    if ((await ended.count()) > 0) return ended.first().getAttribute('data-run-status');
    await asked.first().click().catch(() => undefined);
    await page.waitForTimeout(200);
  }
}

async function walk() {
  await step('home is live', async () => {
    await page.goto(`${base}/ui/`);
    await live();
    await page.getByRole('heading', { name: 'Running' }).waitFor();
    await accessible('home');
  });

  await step('the list leads to the application', async () => {
    await page.getByRole('link', { name: 'Applications' }).first().click();
    await page.getByRole('link', { name: application }).first().click();
    await page.locator('[data-pipeline]').first().waitFor();
    await accessible('pipelines');
  });

  await step('the load balancer shows its address', async () => {
    await page.getByRole('link', { name: 'Load balancers' }).click();
    const address = await page.locator('[data-address]').first().getAttribute('data-address');
    must(/:\d+$/.test(address ?? ''), `the address of the load balancer is ${address}`);
    await accessible('load balancers');
    await picture.screen('load-balancers');
  });

  await step('the cluster shows green tiles, and of one its sentence', async () => {
    await page.getByRole('link', { name: 'Clusters' }).click();
    await page.locator('.tile[data-state=Up]').first().waitFor();
    const red = page.locator('.tile[data-state=Down]').first();
    const tile = (await red.count()) > 0 ? red : page.locator('.tile').first();
    await tile.click();
    must(page.url().includes('instance='), `the selected instance is not in the address ${page.url()}`);
    const why = await page.locator('.drawer .why').innerText();
    must(why.length > 10, `the instance says only "${why}"`);
    await accessible('clusters');
    await picture('instance');
    await page.goBack();
    must(!page.url().includes('instance='), 'going back does not close the instance');
  });

  const pipeline = await step('the pipeline is drawn as a graph', async () => {
    await page.getByRole('link', { name: 'Pipelines' }).click();
    const wanted = values.pipeline === undefined ? page.locator('[data-pipeline]').first() : page.locator(`[data-pipeline=${JSON.stringify(values.pipeline)}]`);
    await wanted.waitFor();
    const name = await wanted.getAttribute('data-pipeline');
    const open = wanted.locator('.pipeline-open');
    if ((await open.getAttribute('aria-expanded')) !== 'true') await open.click();
    await wanted.locator('.graph-node').nth(1).waitFor();
    must((await wanted.locator('.wire').count()) > 0, 'the graph has no edges');
    await picture.screen('pipelines');
    return { name, start: wanted.getByRole('button', { name: /^Start/ }) };
  });

  await step('starting it shows first what will happen, then does it', async () => {
    await pipeline.start.click();
    await page.locator('dialog .will li').first().waitFor();
    must((await page.locator('dialog').innerText()).includes('curl'), 'the dialog does not show the same as a request');
    await accessible('start dialog');
    await picture('start');
    await page.locator('[data-confirm=start]').click();
    await page.waitForURL(/\/runs\//);
    await page.locator('[data-run-status]').waitFor();
    await live();
  });

  await step('the run moves on by itself and stops at the judgment', async () => {
    await page.locator('[data-judge=continue]').waitFor({ timeout: LIMIT });
    must((await page.locator('.graph-node .tone-well').count()) > 0, 'no stage before the judgment is drawn as done');
    await accessible('run');
    await picture.screen('run');
  });

  await step('Home says that it needs me', async () => {
    const run = page.url();
    await page.goto(`${base}/ui/`);
    await page.locator('.home-run .tone-judgment').first().waitFor();
    await picture.screen('home');
    await page.goto(run);
  });

  await step('on a small screen the same run fits', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.locator('[data-judge=continue]').waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    must(wide <= 390, `the page is ${wide} pixels wide at 390`);
    await picture('run-small');
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  await step('in Korean and in the dark it is the same page', async () => {
    await page.locator('select.choice').selectOption('ko');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.getByRole('button', { name: '계속' }).waitFor();
    await accessible('run in the dark');
    await picture('run-korean-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.locator('select.choice').selectOption('en');
  });

  await step('Continue lets the run go on to its end', async () => {
    await page.locator('[data-judge=continue]').click();
    const status = await untilEnded();
    must(status === 'SUCCEEDED', `the run ended ${status}: ${await page.locator('[data-why]').innerText().catch(() => '')}`);
    await picture('run-ended');
  });

  await step('its log, its data and the table are one click away', async () => {
    await page.locator('.graph-node').first().click();
    await page.getByRole('button', { name: 'Log' }).click();
    await page.locator('.log-lines').waitFor();
    await page.getByRole('button', { name: 'Data' }).click();
    await page.locator('.data-row').first().waitFor();
    await page.getByRole('button', { name: 'Table' }).click();
    await page.locator('.stage-open').first().waitFor();
    must(/lens=table/.test(page.url()) && /tab=data/.test(page.url()), `lens and tab are not in the address ${page.url()}`);
    await accessible('run as a table');
    await picture('run-table');
  });

  await step('tasks and repositories open', async () => {
    await page.goto(`${under}/tasks`);
    await page.locator('.task-head, .notice').first().waitFor();
    await accessible('tasks');
    await picture.screen('tasks');
    await page.goto(`${base}/ui/repositories`);
    await page.locator('.repository, .notice').first().waitFor();
    await accessible('repositories');
    if ((await page.locator('.repository').count()) > 0) await picture('repositories-first');
  });

  if (values.undo !== undefined) {
    await step('what somebody took away comes back', async () => {
      const packages = page.locator('.repository');
      const newest = page.locator('[data-operation]').first();
      await newest.waitFor();
      must((await packages.filter({ hasText: values.undo }).count()) === 0, `${values.undo} is in a repository already`);
      await newest.getByRole('button').click();
      const dialog = page.locator('dialog[open]');
      must((await dialog.innerText()).includes(`+ ${values.undo}`), 'the dialog does not say what comes back');
      must((await dialog.innerText()).includes('gennaker undo '), 'the dialog does not say the command');
      await accessible('undoing');
      await picture('undo');
      await dialog.getByRole('button', { name: 'Undo', exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      await packages.filter({ hasText: values.undo.split('_')[1] }).first().waitFor();
      await page.locator('[data-operation]').nth(1).getByText('undone').waitFor();
    });
  }

  if (values.upload !== undefined) {
    await step('a package file becomes a package', async () => {
      await page.goto(`${base}/ui/repositories`);
      await page.locator('.repository input[type=file]').first().setInputFiles(values.upload);
      const dialog = page.locator('dialog[open]');
      must((await dialog.innerText()).includes('aptly repo add '), 'the dialog does not say the command');
      await accessible('adding');
      await dialog.getByRole('button', { name: 'Add', exact: true }).click();
      await dialog.getByText(' added').waitFor();
      await picture('upload');
      await dialog.getByRole('button', { name: 'Close' }).last().click();
      await page.locator('[data-operation]').first().getByText('+1').waitFor();
    });

    await step('and is published', async () => {
      await page.locator('.publication').getByRole('button').last().click();
      const dialog = page.locator('dialog[open]');
      must((await dialog.innerText()).includes('aptly publish update '), 'the dialog does not say the command');
      await accessible('publishing');
      await dialog.getByRole('button', { name: 'Publish anew', exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.locator('[data-operation]').first().getByText('changed publication').waitFor();
      await picture.screen('repositories');
    });
  }

  await step('the cluster shows where the traffic is now', async () => {
    await page.goto(`${under}/clusters`);
    await page.locator('.group-line:not(.group-head)').first().waitFor();
    must((await page.locator('.group-traffic').allInnerTexts()).some((text) => text.includes('100')), 'no server group has all of the traffic');
    await picture.screen('clusters');
  });

  await step('where what runs came from stands beside it', async () => {
    await page.goto(`${base}/ui/provenance`);
    await page.locator('[data-chain]').first().waitFor();
    await accessible('provenance');
    await picture.screen('provenance');
  });

  await step('a cut stream is said, and found again', async () => {
    await page.goto(`${under}/clusters`);
    await live();
    await context.route('**/ui-api/live', (route) => route.abort());
    await page.reload();
    await page.locator('.cut-notice').waitFor();
    await page.locator('.main.stale').waitFor();
    await context.unroute('**/ui-api/live');
    await live();
    must((await page.locator('.cut-notice').count()) === 0, 'the page still says that the stream is cut');
  });
}

// What the browser itself says of the stream that was cut on purpose is no fault of the page.
await conclude({ browser, page, complaints }, 'the walk is done', walk, /ERR_FAILED/);
