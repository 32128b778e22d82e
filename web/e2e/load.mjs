// Measures the page in front of a server that holds much: how long each screen takes until what it is for is painted, and how long it takes to
// answer.
//
//   node e2e/load.mjs BASE [--application shop] [--repository big] [--paint 1000] [--act 100] [--pictures FOLDER]
//
// BASE is the address of a server whose application has many pipelines named `pipeline-0`, `pipeline-1` …, with runs, and many server groups. Each
// screen is opened by a browser that has seen nothing yet. A paint that takes longer than `--paint` milliseconds, or an answer that takes longer than
// `--act`, is a failure.

import { parseArgs } from 'node:util';
import { conclude, must, step } from './browser.mjs';
import { answered, asked, cold, painted, told } from './load-kit.mjs';
import { pictures } from './looks.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    application: { type: 'string', default: 'shop' },
    repository: { type: 'string', default: 'big' },
    paint: { type: 'string', default: '1000' },
    act: { type: 'string', default: '100' },
    pictures: { type: 'string' },
  },
});
const base = positionals[0]?.replace(/\/$/, '');
if (base === undefined) {
  console.error('usage: node e2e/load.mjs BASE [--application NAME] [--repository NAME] [--paint MS] [--act MS] [--pictures FOLDER]');
  process.exit(2);
}
const [paint, act] = [Number(values.paint), Number(values.act)];
const inside = `/applications/${encodeURIComponent(values.application)}`;
const ui = `${base}/ui`;
const rows = [];

/** Names that addresses need, as the server knows them. */
async function names() {
  const [run] = await asked(base, `${inside}/executions/search?size=1`);
  must(run !== undefined, `${values.application} has no run`);
  const groups = await asked(base, `${inside}/serverGroups`);
  must(groups.length > 0, `${values.application} has no server group`);
  const { repositories } = await asked(base, '/ui-api/repositories');
  const tiles = groups.reduce((sum, one) => sum + one.instances.length, 0);
  console.log(`${groups.length} server groups, ${tiles} instances, ${repositories.map((one) => `${one.name}: ${one.count} packages`).join(', ') || 'no repository'}`);
  return { run: run.id, group: groups[Math.floor(groups.length / 2)].name, packages: repositories.some((one) => one.name === values.repository && one.count > 0) };
}

/** Each screen with what it is for: rows and headings that come from the server. */
function screens({ run, group, packages }) {
  const middle = 'pipeline-500';
  return [
    ['Home', '/', '.home-list, .home-none'],
    ['Applications', '/applications', 'table.rows tbody a'],
    ['Pipelines', `${inside}/pipelines`, '[data-pipeline] .run-row, [data-pipeline] .pipeline-none'],
    ['Runs of a pipeline', `${inside}/pipelines?pipeline=${middle}`, `[data-pipeline="${middle}"] .graph-node, [data-pipeline="${middle}"] .run-row`],
    ['Run', `${inside}/runs/${run}`, '.graph-node'],
    ['Clusters', `${inside}/clusters`, '.group-line .tile'],
    ['Server group', `${inside}/clusters?group=${encodeURIComponent(group)}`, '.drawer .facts'],
    ['Load balancers', `${inside}/load-balancers`, '.balancer'],
    ['Firewalls', `${inside}/firewalls`, '.firewall, .notice'],
    ['Tasks', `${inside}/tasks`, '.task-head, .notice'],
    ['Config', `${inside}/config`, '.config h2'],
    ['Projects', '/projects', 'table.rows tbody a, .notice'],
    ['Repositories', '/repositories', packages ? `[data-repository="${values.repository}"] [data-package]` : '.repository, .notice'],
    ['Activity', '/activity', '.activity-table tbody tr, .notice'],
    ['Settings', '/settings', '.settings h2'],
    ['Editor of a pipeline', `${inside}/pipelines/${middle}/edit`, '.canvas .graph-node'],
  ];
}

async function open(name, path, selector) {
  const opened = await cold();
  await conclude(opened, `      ${name}`, async () => {
    rows.push({ name, ms: await painted(opened.page, ui + path, selector), bound: paint });
    await pictures(opened.page, values.pictures)(`load-${name.toLowerCase().replaceAll(' ', '-')}`);
  });
}

async function answers({ group }) {
  const opened = await cold();
  const { page } = opened;
  const measure = async (name, found, press) => rows.push({ name, ms: await answered(page, found, press), bound: act });
  const filter = () => page.locator('.screen-head input[type=search]');
  await conclude(opened, '      answers', async () => {
    await painted(page, `${ui}${inside}/pipelines`, '[data-pipeline] .run-row');
    await page.locator('h1').click();
    await measure('j: to the first pipeline', "document.activeElement.closest('[data-row]') !== null", () => page.keyboard.press('j'));
    const held = () => page.evaluate(() => { window.__held = document.activeElement; });
    await held();
    await measure('j: to the next row', 'document.activeElement !== window.__held', () => page.keyboard.press('j'));
    await filter().focus();
    await measure('Filter of pipelines, first key', "document.querySelector('.screen-head input').value === '7'", () => page.keyboard.press('7'));
    await measure('Filter of pipelines, its rows', "[...document.querySelectorAll('[data-pipeline]')].every((one) => one.dataset.pipeline.includes('77'))", () => page.keyboard.press('7'));
    await measure('Palette opens', "document.querySelector('dialog.palette[open]') !== null", () => page.keyboard.press('Control+k'));
    await measure('Palette, first key', "document.querySelector('.palette-field').value === 'p'", () => page.keyboard.press('p'));
    await measure('Palette, second key', "document.querySelector('.palette-field').value === 'pi'", () => page.keyboard.press('i'));
    await page.keyboard.press('Escape');

    await painted(page, `${ui}${inside}/clusters`, '.group-line .tile');
    for (const [name, step] of [['Scrolling 10,000 tiles, longest picture', 120], ['Scrolling them fast, longest picture', 1500]]) {
      await page.evaluate(() => { document.querySelector('main').scrollTop = 0; });
      await page.waitForTimeout(300);
      const { longest, pictures: seen, empty, to } = await page.evaluate((by) => window.__scrolled('.cluster', by, 4000), step);
      must(to > 0, 'the clusters do not scroll');
      must(empty === 0, `${empty} of ${seen} pictures had no row in them`);
      rows.push({ name, ms: longest, bound: act });
    }
    await measure('j: from where one has scrolled to', "document.activeElement.closest('[data-row]') !== null", () => page.keyboard.press('j'));
    await page.evaluate(() => { document.querySelector('main').scrollTop = 0; });
    await filter().focus();
    await filter().fill(group.slice(0, -1));
    await page.waitForTimeout(600);
    await measure('Filter of clusters, its rows', `document.querySelector('.screen-head input').value === '${group}' && document.querySelector('[data-group="${group}"]') !== null`, () => page.keyboard.press(group.slice(-1)));
    await page.waitForTimeout(600);
    await measure('A server group is opened', "document.querySelector('.drawer') !== null", () => page.locator('.group-open').first().click());
    await filter().fill('');
    await page.waitForTimeout(600);
    await page.evaluate(() => { document.querySelector('main').scrollTop = 0; });
    await measure('and another one', "document.querySelector('.group-line.selected [aria-pressed=true]') === document.querySelector('.group-open')", () => page.locator('.group-open').first().click());
  });
}

const known = await step('the server holds much', names);
for (const screen of screens(known)) await open(...screen);
await answers(known);
const over = told(rows);
if (over.length > 0) {
  console.error(`${over.length} of ${rows.length} are over their bound`);
  process.exitCode = 1;
} else if (process.exitCode === undefined) console.log('the load walk is done');
