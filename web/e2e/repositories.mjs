// Walks through the repositories on the page: one is made, filled, published, moved on, compared and rolled back.
//
//   node e2e/repositories.mjs BASE OLD.deb NEW.deb [--pictures FOLDER]
//
// OLD and NEW are two versions of one package. The server's apt root has nothing yet.

import { parseArgs } from 'node:util';
import { archive } from './archive.mjs';
import { makeApplication } from './application.mjs';
import { conclude, must, openBrowser, step } from './browser.mjs';
import { accessible, pictures } from './looks.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { pictures: { type: 'string' } } });
const [base, older, newer] = positionals;
if (newer === undefined) {
  console.error('usage: node e2e/repositories.mjs BASE OLD.deb NEW.deb [--pictures FOLDER]');
  process.exit(2);
}
const { browser, page, complaints } = await openBrowser();
const picture = pictures(page, values.pictures);
const screen = `${base.replace(/\/$/, '')}/ui/repositories`;
const dialog = page.locator('dialog[open]');

/** Presses the button of a dialog and waits until it is done. */
async function confirm(word) {
  await dialog.getByRole('button', { name: word, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

async function says(command) {
  const text = await dialog.innerText();
  must(text.includes(command), `the dialog does not say ${command}:\n${text}`);
}

async function add(file) {
  await page.locator('.repository input[type=file]').first().setInputFiles(file);
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.getByText(' added').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
}

async function snapshot(name) {
  await page.getByRole('button', { name: 'Take snapshot' }).first().click();
  await dialog.getByLabel('Name').fill(name);
  await says(`aptly snapshot create ${name} from repo shop`);
  await confirm('Take snapshot');
}

/** In the dialog that starts a pipeline with an apt trigger stands what its publication shows. */
async function start() {
  const application = 'shop';
  await makeApplication(base, application);
  const stages = [{ refId: '1', requisiteStageRefIds: [], type: 'wait', name: 'Wait', waitTime: 1 }];
  const pipeline = { application, name: 'Ship', triggers: [{ type: 'apt', enabled: true, package: 'helloterry', distribution: 'stable' }], stages };
  const made = await fetch(`${base}/pipelines`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(pipeline) });
  must(made.ok, `POST /pipelines answered ${made.status}`);
  await page.goto(`${base}/ui/applications/${application}/pipelines?start=Ship`);
  const versions = dialog.locator('[data-version]');
  await versions.nth(1).waitFor();
  must(await versions.first().getByRole('radio').isChecked(), 'the newest version is not chosen');
  must((await versions.first().innerText()).includes('helloterry 2.0'), `the first is ${await versions.first().innerText()}`);
  await versions.nth(1).getByRole('radio').check();
  const said = await dialog.innerText();
  must(said.includes('"type":"apt"') && said.includes('"version":"1.7"'), `the request is ${said}`);
  await accessible(page, 'choosing a version');
  await picture.screen('start');
  await page.locator('[data-confirm=start]').click();
  await page.waitForURL(/\/runs\//);
  const [run] = await (await fetch(`${base}/applications/${application}/pipelines?limit=1`)).json();
  must(run.trigger.type === 'apt' && run.trigger.version === '1.7' && run.trigger.package === 'helloterry', `the trigger is ${JSON.stringify(run.trigger)}`);
}

/** From the empty list over making, updating, changing and a snapshot to dropping. */
async function mirrors() {
  const from = await archive('stable', [['nginx', '1.0'], ['slow', '1.0'], ['other', '1.0']], 'slow');
  const mirror = page.locator('[data-mirror=upstream]');

  await step('a mirror is made as one types it', async () => {
    await page.getByRole('link', { name: 'Mirrors', exact: true }).click();
    await page.getByText('aptly mirror create').waitFor();
    await page.getByRole('button', { name: 'New mirror' }).click();
    await dialog.getByLabel('Name').fill('upstream');
    await dialog.getByLabel('Distribution').fill('stable');
    await dialog.getByLabel('Archive').fill('ppa:user/project');
    await dialog.getByText('That is http://ppa.launchpadcontent.net/user/project/ubuntu').waitFor();
    await dialog.getByLabel('Archive').fill('nowhere');
    must((await dialog.getByLabel('Archive').getAttribute('aria-invalid')) === 'true', 'a word that is no address is taken');
    await dialog.getByLabel('Archive').fill(from.address);
    await dialog.getByLabel('Only').fill('nginx | slow');
    await says(`aptly mirror create -filter='nginx | slow' upstream ${from.address} stable`);
    await accessible(page, 'making a mirror');
    await picture('mirror-create');
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('without checking its signature').check();
    await confirm('Create');
    await mirror.getByText('never').waitFor();
    must(await mirror.getByRole('button', { name: 'Take snapshot' }).isDisabled(), 'a snapshot of nothing can be asked for');
  });

  await step('its update tells how far it is and goes on without anybody', async () => {
    await mirror.getByRole('button', { name: 'Update' }).click();
    await dialog.getByLabel('without checking its signature').check();
    await says('aptly mirror update -ignore-signatures upstream');
    await accessible(page, 'updating a mirror');
    await dialog.getByRole('button', { name: 'Update', exact: true }).click();
    await dialog.locator('[data-task-state=running]').waitFor();
    await dialog.getByText('1 of 2 packages').waitFor();
    await accessible(page, 'a mirror that is updated');
    await picture('mirror-update');
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await mirror.getByText('updating').waitFor();
    from.letGo();
    await mirror.getByText('updating').waitFor({ state: 'detached' });
    await mirror.getByText('2 packages', { exact: true }).waitFor();
  });

  await step('it is changed, updated to its end, and a snapshot is made of it', async () => {
    await mirror.getByRole('button', { name: 'Edit' }).click();
    must(await dialog.getByRole('button', { name: 'Save', exact: true }).isDisabled(), 'nothing was changed and can be saved');
    await dialog.getByLabel('Only').fill('nginx | slow | other');
    await says("aptly mirror edit -filter='nginx | slow | other' upstream");
    await accessible(page, 'changing a mirror');
    await confirm('Save');
    await mirror.getByText('nginx | slow | other').waitFor();
    await mirror.getByRole('button', { name: 'Update' }).click();
    await dialog.getByRole('button', { name: 'Update', exact: true }).click();
    await dialog.locator('[data-task-state=failed]').waitFor();
    await dialog.getByRole('button', { name: 'Back to the form' }).click();
    await dialog.getByLabel('without checking its signature').check();
    await dialog.getByRole('button', { name: 'Update', exact: true }).click();
    await dialog.locator('[data-task-state=done]').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await mirror.getByText('3 packages', { exact: true }).waitFor();
    await mirror.getByRole('button', { name: 'Take snapshot' }).click();
    await dialog.getByLabel('Name').fill('upstream-1');
    await says('aptly snapshot create upstream-1 from mirror upstream');
    await confirm('Take snapshot');
    await accessible(page, 'mirrors');
    await picture.screen('mirrors');
  });

  await step('what goes with a mirror is said before it is dropped', async () => {
    await mirror.getByRole('button', { name: 'Drop' }).click();
    await dialog.getByText('upstream-1').waitFor();
    must(await dialog.getByRole('button', { name: 'Drop', exact: true }).isDisabled(), 'it can be dropped without a word');
    await dialog.getByLabel('drop it all the same').check();
    await says('aptly mirror drop -force upstream');
    await accessible(page, 'dropping a mirror');
    await confirm('Drop');
    await mirror.waitFor({ state: 'detached' });
  });
  from.close();
}

async function walk() {
  await step('a repository is made', async () => {
    await page.goto(screen);
    await page.getByRole('button', { name: 'New repository' }).click();
    await dialog.getByLabel('Name').fill('shop');
    await says('aptly repo create -distribution=stable -component=main shop');
    await accessible(page, 'making a repository');
    await confirm('Create');
    await page.locator('[data-repository=shop]').waitFor();
  });

  await step('packages come in, and a snapshot keeps what was there', async () => {
    await add(older);
    await page.locator('[data-package]').first().waitFor();
    await snapshot('monday');
    await add(newer);
    await page.locator('[data-package]').nth(1).waitFor();
    await snapshot('tuesday');
  });

  await step('a query is answered by the server, a package shows its fields', async () => {
    const field = page.getByLabel('Filter packages');
    await field.fill('$Version (>= 2)');
    await page.locator('[data-package]').nth(1).waitFor({ state: 'detached' });
    must((await page.locator('[data-package]').count()) === 1, 'the query means one package');
    must(page.url().includes('q='), 'the query is not in the address');
    await page.locator('.package-open').first().click();
    await page.getByText('Installed-Size').or(page.getByText('SHA256')).first().waitFor();
    await accessible(page, 'a package');
    await picture('package');
    await field.fill('$Version (>=');
    await page.getByRole('alert').first().waitFor();
    await field.fill('');
  });

  await step('two snapshots are compared', async () => {
    await page.getByRole('link', { name: 'Snapshots', exact: true }).click();
    await page.locator('[data-snapshot=tuesday]').waitFor();
    await page.getByLabel('Compare').selectOption('monday');
    await page.getByLabel('with', { exact: true }).selectOption('tuesday');
    await page.locator('[data-diff]').first().waitFor();
    must(page.url().includes('left=monday') && page.url().includes('right=tuesday'), `the comparison is not in the address ${page.url()}`);
    await accessible(page, 'the difference');
    await picture.screen('snapshots');
  });

  await step('a snapshot is published, and another takes its place', async () => {
    await page.getByRole('button', { name: 'Publish monday' }).click();
    await dialog.getByLabel('Distribution').fill('stable');
    await dialog.getByLabel('Architectures').fill('amd64');
    await dialog.getByLabel('without a signature').check();
    await says('aptly publish snapshot -skip-signing -distribution=stable -architectures=amd64 monday');
    await accessible(page, 'publishing');
    await confirm('Publish');
    await page.getByRole('link', { name: 'Publications', exact: true }).click();
    await page.getByRole('button', { name: 'Switch' }).click();
    await dialog.getByLabel('Snapshot').selectOption('tuesday');
    await says('aptly publish switch -skip-signing -component=main stable tuesday');
    await confirm('Switch');
    await page.locator('[data-generation="2"]').waitFor();
    await accessible(page, 'publications');
    await picture.screen('publications');
  });

  await step('a pipeline is started with a version that is published', start);

  await step('the way back is there', async () => {
    await page.goto(`${screen}?part=publications`);
    await page.getByRole('button', { name: 'Back to generation 1' }).click();
    await says('aptly publish rollback -skip-signing -to=1 stable');
    await confirm('Roll back');
    await page.locator('[data-generation="3"]').waitFor();
    must((await page.locator('.repository h2').first().innerText()).includes('monday'), 'the publication does not show monday again');
  });

  await step('recipes are complete', async () => {
    await page.getByRole('link', { name: 'Recipes', exact: true }).click();
    const curl = await page.locator('[data-recipe=curl] pre').innerText();
    must(curl.includes('/api/repos/shop/file/'), curl);
    must((await page.locator('[data-recipe]').count()) === 5, 'not every recipe is there');
    await accessible(page, 'recipes');
    await picture('recipes');
  });

  await step('what is dropped is said first, and can be undone', async () => {
    await page.getByRole('link', { name: 'Publications', exact: true }).click();
    await page.getByRole('button', { name: 'Drop' }).click();
    await says('aptly publish drop stable');
    await confirm('Drop');
    await page.locator('[data-publication]').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Log', exact: true }).click();
    const newest = page.locator('[data-operation]').first();
    await newest.getByText('removed publication').waitFor();
    await newest.getByRole('button').click();
    await dialog.getByLabel('without a signature').check();
    await confirm('Undo');
    await page.getByRole('link', { name: 'Publications', exact: true }).click();
    await page.locator('[data-publication=stable]').waitFor();
  });

  await mirrors();

  await step('all fits a small screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const part of ['local', 'mirrors', 'snapshots', 'publications', 'recipes', 'log']) {
      await page.goto(`${screen}?part=${part}`);
      await page.locator('.screen').waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      must(wide <= 390, `${part} is ${wide} pixels wide at 390`);
    }
  });
}

// A query that is not complete yet and an archive without a signature are refused, which the browser calls an error.
await conclude({ browser, page, complaints }, 'the repositories walk is done', walk, /status of 400/);
