// From an empty page to a served application without a command line, in a real browser.
//
//   node e2e/wizards.mjs BASE --images FOLDER [--pictures FOLDER] [--application NAME] [--port PORT]
//
// BASE is the address of a server that has no application of that name; FOLDER, on the server's machine, has the images `hello-1.0`
// ("This is Default"), `hello-2.0` ("This is v2") and `hello-3.0` (answers 500). Without --port the load balancer gets a free one.

import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { conclude, must, openBrowser, step } from './browser.mjs';
import { accessible as looks, pictures } from './looks.mjs';
import { afterwards } from './wizards-afterwards.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: 'string' },
    pictures: { type: 'string' },
    application: { type: 'string', default: 'hello' },
    port: { type: 'string', default: '' },
    limit: { type: 'string', default: '120' },
  },
});
const base = positionals[0]?.replace(/\/$/, '');
if (base === undefined || values.images === undefined) {
  console.error('usage: node e2e/wizards.mjs BASE --images FOLDER [--pictures FOLDER] [--application NAME] [--port PORT]');
  process.exit(2);
}
const { application: app } = values;
const LIMIT = Number(values.limit) * 1000;
const under = `${base}/ui/applications/${encodeURIComponent(app)}`;

const { browser, page, complaints } = await openBrowser();
const dialog = page.locator('dialog[open]');
const field = (label) => dialog.locator('input, select').and(dialog.getByLabel(label)).first();
const button = (name) => dialog.getByRole('button', { name, exact: true });

const picture = pictures(page, values.pictures);
const accessible = (where) => looks(page, where);

/** The words of the command that the dialog shows. */
async function said() {
  return dialog.locator('.same-as').innerText();
}

/** Waits until the task that the dialog follows has ended, and gives its status. */
async function ended() {
  const over = dialog.locator('[data-task-status=SUCCEEDED], [data-task-status=TERMINAL], [data-task-status=CANCELED]');
  await over.waitFor({ timeout: LIMIT });
  return over.getAttribute('data-task-status');
}

async function succeeds(what) {
  const status = await ended();
  must(status === 'SUCCEEDED', `${what} ended ${status}: ${await dialog.locator('.following .why').innerText()}`);
}

/** What users are answered at the load balancer's address. */
async function answerAt(address) {
  // By a connection of its own each time: a firewall lets those go on that are there.
  const answer = await new Promise((done, fail) => get(`http://${address}/`, { agent: false }, done).on('error', fail));
  return { status: answer.statusCode, body: await text(answer) };
}

/** One step of the walk waits for what users see, which follows the page by a moment. */
async function answers(address, wanted) {
  const deadline = Date.now() + LIMIT;
  for (;;) {
    const { status, body } = await answerAt(address).catch((error) => ({ status: 0, body: String(error) }));
    if (status === 200 && body === wanted) return;
    must(Date.now() < deadline, `${address} answers ${status} "${body}" and not "${wanted}"`);
    await page.waitForTimeout(100);
  }
}

let address = '';

async function theApplication() {
  await step('an empty list says what an application is, and offers one', async () => {
    await page.goto(`${base}/ui/applications`);
    await page.locator('[data-stream=live]').waitFor();
    await page.getByRole('button', { name: 'Create an application' }).first().click();
    await dialog.waitFor();
    must(page.url().includes('do=create'), `the open dialog is not in the address ${page.url()}`);
    await accessible('creating an application');
  });

  await step('pressing the button shows what is missing, and where', async () => {
    await button('Create').click();
    must((await dialog.locator('[aria-invalid=true]').count()) === 2, 'not both of the missing fields are marked');
    must(await field('Name').evaluate((one) => one === document.activeElement), 'the first field that is not right has no focus');
    await dialog.getByText('2 fields are not right yet.').waitFor();
    await accessible('what is missing');
    await field('Name').fill('he llo');
    await dialog.getByText(`'he llo' cannot be the name of an application`).waitFor();
  });

  await step('an Enter that ends a composition submits nothing', async () => {
    await field('Name').fill(app);
    await field('e-mail').fill('terry@example.com');
    await field('e-mail').evaluate((one) => one.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, isComposing: true })));
    must((await dialog.locator('[data-task]').count()) === 0, 'it submits');
  });

  await step('the application is created, and the dialog follows its task', async () => {
    await field('Description').fill('Says hello');
    must((await said()).includes(`gennaker task run createApplication -a ${app} `), 'the dialog does not say the command');
    await picture('create-application');
    await field('Description').press('Enter');
    await succeeds('creating the application');
    await accessible('an application that was created');
    await dialog.getByRole('link', { name: 'Next: a load balancer' }).click();
    await page.waitForURL(/load-balancers/);
  });
}

async function theLoadBalancer() {
  await step('a load balancer is created: HTTP, a health check on /', async () => {
    await dialog.getByRole('heading', { name: 'Create a load balancer' }).waitFor();
    must((await field('Name').inputValue()) === app, 'its name is not that of the application');
    await field('Port').fill('70000');
    await dialog.getByText('A whole number, 1 to 65,535.').waitFor();
    await field('Port').fill(values.port);
    for (const [label, value] of [['Every', '0.2'], ['Answer within', '1'], ['Up after', '1'], ['Down after', '2']]) await field(label).fill(value);
    await accessible('creating a load balancer');
    await picture('create-load-balancer');
    await button('Create').click();
    await succeeds('creating the load balancer');
    address = (await dialog.locator('.following code').first().innerText()).trim();
    must(/:\d+$/.test(address), `the load balancer answers at "${address}"`);
    const { status } = await answerAt(address);
    must(status === 503, `without a server group it answers ${status}`);
    await dialog.getByRole('link', { name: 'Next: a server group' }).click();
    await page.waitForURL(/clusters/);
  });
}

async function theServerGroup() {
  await step('a server group shows its name as one types', async () => {
    await dialog.getByRole('heading', { name: 'Create a server group' }).waitFor();
    const name = dialog.locator('.group-name');
    await name.getByText(`${app}-v000`, { exact: true }).waitFor();
    await field('Stack').fill('main');
    await field('Detail').fill('eu-west');
    await name.getByText(`${app}-main-eu-west-v000`, { exact: true }).waitFor();
    await field('Stack').fill('ma-in');
    await dialog.getByText(`stack "ma-in": '-' is not allowed`).waitFor();
    await field('Stack').fill('');
    await field('Detail').fill('');
    await accessible('creating a server group');
  });

  await step('what cannot be run is told by the server, and nothing that was typed is lost', async () => {
    await dialog.getByRole('radio', { name: 'Folder' }).check();
    await dialog.getByRole('textbox', { name: 'Folder' }).fill(`${values.images}/nowhere`);
    await field('Instances').fill('4');
    await dialog.getByRole('button', { name: 'Add a variable' }).click();
    await dialog.getByRole('textbox', { name: 'Name' }).fill('GREETING');
    await dialog.getByRole('textbox', { name: 'Value' }).fill('hi');
    await button('Deploy').click();
    must((await ended()) === 'TERMINAL', 'a folder that is not there is deployed');
    must((await dialog.locator('.following .why').innerText()).includes('cannot open this folder'), 'the dialog does not say why it failed');
    await accessible('a task that failed');
    await picture('task-failed');
    await button('Back to the form').click();
    await dialog.getByText('The last try failed:').waitFor();
    must((await field('Instances').inputValue()) === '4', 'the form has forgotten what was typed');
  });

  await step('four instances are spread over the zones and come up', async () => {
    await dialog.getByRole('textbox', { name: 'Folder' }).fill(`${values.images}/hello-1.0`);
    must(await dialog.getByRole('checkbox', { name: app, exact: true }).isChecked(), 'the only load balancer is not chosen');
    must(await dialog.getByRole('checkbox', { name: 'Spread over all zones' }).isChecked(), 'it is not spread');
    await dialog.getByText(`Makes ${app}-v000 with 4 instances of hello-1.0 in local-a, local-b.`).waitFor();
    must((await said()).includes('capacity.desired=4'), 'the dialog does not say the command');
    await picture.screen('create-server-group');
    await button('Deploy').click();
    await succeeds('deploying');
    await dialog.locator('[data-coming] .tile[data-state=Up]').nth(3).waitFor();
    await accessible('a server group that came up');
    await picture('server-group-up');
    const groups = await (await fetch(`${base}/applications/${app}/serverGroups`)).json();
    const zones = groups[0].instances.map((one) => one.zone).sort();
    must(JSON.stringify(zones) === '["local-a","local-a","local-b","local-b"]', `the instances are in ${zones}`);
  });

  await step('its address is one click away and serves it', async () => {
    const href = await dialog.getByRole('link', { name: /Open the address/ }).getAttribute('href');
    must(href === `http://${address}/`, `the link leads to ${href}`);
    await answers(address, 'This is Default');
    await button('Close').last().click();
    await dialog.waitFor({ state: 'detached' });
    await page.locator(`[data-group="${app}-v000"] .tile[data-state=Up]`).nth(3).waitFor();
    await accessible('clusters');
  });
}

await conclude({ browser, page, complaints }, 'the wizards walk is done', async () => {
  await theApplication();
  await theLoadBalancer();
  await theServerGroup();
  await afterwards({ page, dialog, field, button, picture, accessible, ended, succeeds, answerAt, answers, address, app, under, images: values.images, limit: LIMIT });
});
