// Makes a pipeline in the browser, from nothing: saves it, runs it to its judgment, edits it as JSON, mends a problem, and brings back its first version.
//
//   node e2e/editor.mjs BASE [--application NAME] [--pictures FOLDER]
//
// BASE is the address of a server. The application is made when it is not there.

import { parseArgs } from 'node:util';
import { makeApplication } from './application.mjs';
import { conclude, must, openBrowser, step } from './browser.mjs';
import { parts } from './editor-parts.mjs';
import { forms } from './forms.mjs';
import { accessible as looks, pictures } from './looks.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { application: { type: 'string', default: `edited${Date.now() % 1_000_000}` }, pictures: { type: 'string' } },
});
const base = positionals[0]?.replace(/\/$/, '');
if (base === undefined) {
  console.error('usage: node e2e/editor.mjs BASE [--application NAME] [--pictures FOLDER]');
  process.exit(2);
}
const { application } = values;
const NAME = 'ship it';
const under = `${base}/ui/applications/${encodeURIComponent(application)}/pipelines`;

const { browser, page, complaints } = await openBrowser();

const picture = pictures(page, values.pictures);
const accessible = (where) => looks(page, where);

const { place, field } = forms(page);
const text = () => page.locator('.json-text');
/** Waits until the check has looked at what is on the screen. */
const checked = () => page.locator('[data-editor][data-checked=yes]').waitFor();
const served = async () => (await (await fetch(`${base}/applications/${application}/pipelineConfigs`)).json()).find((one) => one.name === NAME);

async function add(type) {
  await page.locator('[data-add-stage]').click();
  await page.locator('dialog [data-kind]').first().waitFor();
  await page.keyboard.type(type);
  await page.keyboard.press('Enter');
  await page.locator('[data-inspector=stage]').waitFor();
}

async function save() {
  await page.locator('[data-save]').click();
  const dialog = page.locator('dialog[open]');
  await dialog.locator('.diff-line.added, .diff-line.removed').first().waitFor();
  const said = await dialog.innerText();
  must(said.includes('spin pipeline save -f') && said.includes('curl'), 'the dialog does not say the command and the request');
  await accessible('saving');
  await picture('save');
  await page.locator('[data-confirm=save]').click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator('[data-changed=no]').waitFor();
}

async function walk() {
  await step('an application without pipelines leads to a new one', async () => {
    await makeApplication(base, application);
    await page.goto(under);
    await page.getByRole('link', { name: 'New pipeline' }).click();
    await page.locator('[data-inspector=pipeline]').waitFor();
    await accessible('a new pipeline');
    await picture('new');
  });

  await step('it gets a name and a parameter', async () => {
    await field('$.name').fill(NAME);
    await page.getByRole('button', { name: 'Add parameter' }).click();
    await field('$.parameterConfig[0].name').fill('version');
    await field('$.parameterConfig[0].default').fill('1.0');
  });

  await step('it gets three stages, each behind the one before', async () => {
    await add('wait');
    await field('$.stages[0].waitTime').fill('1');
    await add('manualJudgment');
    await field('$.stages[1].name').fill('Ship?');
    await add('wait');
    await field('$.stages[2].waitTime').fill('2');
    must((await page.locator('.graph-node').count()) === 3, 'there are not three stages');
    must((await page.locator('.wire').count()) === 2, 'they are not in a row');
    await accessible('the editor');
    await picture.screen('editor');
  });

  await step('stages are copied, connected and removed on the canvas', async () => {
    const wires = (count) => page.waitForFunction((wanted) => document.querySelectorAll('.canvas .wire').length === wanted, count);
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.locator('[data-node="4"]').waitFor();
    await wires(3);
    const from = await page.locator('[data-node="3"]').boundingBox();
    const to = await page.locator('[data-node="4"]').boundingBox();
    await page.mouse.move(from.x + 30, from.y + 20);
    await page.mouse.down();
    await page.mouse.move(to.x + 40, to.y + 30, { steps: 5 });
    await page.mouse.up();
    await wires(4);
    await page.locator('[data-node="1"]').click();
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.locator('[data-node="4"]').focus();
    await page.keyboard.press('Enter');
    await wires(5);
    await page.keyboard.press('Delete');
    await wires(2);
    // A stage before it has the focus a frame later.
    await page.waitForFunction(() => document.activeElement?.matches('[data-node]'));
    await page.keyboard.press('Control+z');
    await wires(5);
    await page.keyboard.press('Control+Shift+Z');
    await wires(2);
  });

  await step('an expression is completed from the names of this pipeline', async () => {
    await page.locator('.graph-node').nth(1).click();
    const row = place('$.stages[1].instructions');
    await row.locator('textarea').focus();
    await page.keyboard.type('Ship ${para');
    must((await row.getByRole('button', { name: 'Write an expression' }).getAttribute('aria-pressed')) === 'true', 'the field did not become one for expressions');
    await row.locator('[role=option]').first().waitFor();
    await accessible('completion');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await row.locator('textarea').press('End');
    await row.locator('textarea').pressSequentially('}?');
    must((await row.locator('textarea').inputValue()) === 'Ship ${parameters.version}?', `completed to ${await row.locator('textarea').inputValue()}`);
  });

  await step('a mistake is said at its field and in the list, and leads there', async () => {
    await page.locator('.graph-node').first().click();
    await field('$.stages[0].waitTime').fill('soon');
    const problem = page.locator('[data-problem="$.stages[0].waitTime"]');
    await problem.waitFor();
    must((await place('$.stages[0].waitTime').innerText()).includes('whole number'), 'the field does not say what is wrong');
    await page.locator('[data-whole]').click();
    await page.locator('[data-inspector=pipeline]').waitFor();
    await problem.click();
    await page.waitForFunction(() => document.activeElement?.id === 'at$.stages[0].waitTime');
    await accessible('a problem');
    await picture('problem');
  });

  await step('undo takes it back', async () => {
    await page.keyboard.press('Control+z');
    must((await field('$.stages[0].waitTime').inputValue()) === '1', 'the field is not what it was');
    await problemsGone();
  });

  await step('the plan says what a run would do', async () => {
    await page.locator('[data-panel=plan]').click();
    await page.locator('[data-foreseen="2"]').getByText('Ship 1.0?').waitFor();
    await accessible('the plan');
    await picture('plan');
    await page.locator('[data-panel=problems]').click();
  });

  await step('nothing is saved until Save, which shows what changes', async () => {
    must((await served()) === undefined, 'it was saved before it was asked for');
    await page.getByRole('link', { name: 'Clusters' }).click();
    await page.locator('dialog[open]').getByText('not saved').waitFor();
    await accessible('leaving');
    await page.getByRole('button', { name: 'Stay' }).click();
    await save();
    must(page.url().includes('/pipelines/ship%20it/edit'), `the address is ${page.url()}`);
    const kept = await served();
    must(kept?.stages.map((stage) => stage.requisiteStageRefIds.join()).join('|') === '|1|2', `saved was ${JSON.stringify(kept)}`);
    must(kept.stages[0].waitTime === 1 && kept.parameterConfig[0].name === 'version', `saved was ${JSON.stringify(kept)}`);
  });

  await step('started, it stops at the judgment', async () => {
    await page.getByRole('link', { name: 'Pipelines' }).first().click();
    await page.getByRole('button', { name: `Start ${NAME}` }).click();
    await page.locator('dialog .parameter').waitFor();
    await page.locator('[data-confirm=start]').click();
    await page.waitForURL(/\/runs\//);
    await page.locator('[data-judge=continue]').waitFor({ timeout: 60_000 });
  });

  await step('as JSON it is edited, too: an unreadable text says where', async () => {
    await page.goto(under);
    await page.getByRole('link', { name: `Edit ${NAME}` }).click();
    await page.getByRole('button', { name: 'JSON' }).click();
    const whole = await text().inputValue();
    await text().fill(whole.replace('"waitTime": 1,', '"waitTime": 1').replace('"waitTime": 1', '"waitTime": ,'));
    await page.locator('#json-wrong').getByText(/^Line \d+, column/).waitFor();
    must((await page.locator('.json-numbers .wrong').count()) === 1, 'the line is not marked');
    must(await page.locator('[data-save]').isDisabled(), 'it can be saved all the same');
    await accessible('wrong JSON');
    await picture('editor-json');
    await text().fill(whole.replaceAll('"manualJudgment"', '"manualJudgement"'));
    const problem = page.locator('[data-problem="$.stages[1].type"]');
    await problem.waitFor();
    must((await problem.innerText()).includes('did you mean manualJudgment?'), 'the problem does not say what was meant');
    await problem.click();
    const selected = await text().evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
    must(selected === '"manualJudgement"', `selected is ${selected}`);
    await page.keyboard.type('"manualJudgment"');
    await problemsGone();
  });

  await step('a valid text changes graph and form', async () => {
    const whole = JSON.parse(await text().inputValue());
    whole.stages[0].name = '처음 기다림';
    whole.stages[0].own = { kept: true };
    await text().fill(JSON.stringify(whole));
    await page.locator('.graph-node').first().getByText('처음 기다림').waitFor();
    await page.getByRole('button', { name: 'Form' }).click();
    await page.locator('.graph-node').first().click();
    await page.locator('[data-rest="$.stages[0]"] textarea').waitFor();
    must((await page.locator('[data-rest="$.stages[0]"] textarea').inputValue()).includes('"kept": true'), 'an unknown field is not shown');
    await field('$.stages[0].waitTime').fill('3');
    await checked();
    await save();
    const kept = await served();
    must(kept.stages[0].own.kept === true && kept.stages[0].waitTime === 3, `saved was ${JSON.stringify(kept.stages[0])}`);
  });

  await step('the first version comes back from the history', async () => {
    await page.locator('[data-panel=history]').click();
    await page.locator('[data-version="1"] .version').click();
    await page.locator('[data-version="1"] .diff-line.removed').first().waitFor();
    await accessible('the history');
    await picture('history');
    await page.locator('[data-restore="1"]').click();
    await page.locator('dialog[open] .diff-line.added').first().waitFor();
    await accessible('restoring');
    await picture('restore');
    await page.locator('[data-confirm=restore]').click();
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    await page.locator('[data-version="3"]').waitFor();
    await page.locator('.graph-node').first().getByText('처음 기다림').waitFor({ state: 'detached' });
    await page.locator('[data-changed=no]').waitFor();
    must((await served()).stages[0].waitTime === 1, 'the server has not the first version');
  });

  await step('a cron trigger tells its next times', async () => {
    await page.locator('[data-panel=problems]').click();
    await page.locator('[data-whole]').click();
    await page.getByRole('button', { name: 'Add trigger' }).click();
    await page.locator('[data-trigger=cron]').getByText('Next times').waitFor();
    await accessible('a trigger');
    await picture('trigger');
  });

  await parts({ page, accessible, picture, checked, save, served });

  await step('on a small screen, in Korean and in the dark, it is the same editor', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.locator('select.choice').selectOption('ko');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.getByRole('button', { name: '스테이지 추가' }).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    must(wide <= 390, `the page is ${wide} pixels wide at 390`);
    await accessible('the editor in the dark');
    await picture('small-korean-dark');
  });
}

async function problemsGone() {
  await checked();
  await page.locator('.problems').getByText('Nothing is wrong.').waitFor();
}

await conclude({ browser, page, complaints }, 'the editor walk is done', walk);
