// Names, sentences, logs and data of strangers are inert wherever the page shows them: no script, no element, no link, no terminal escape.
// Served by the made-up world, with the very policy that the binary sends: `npm run build && node e2e/hostile.mjs`.

import { serve } from '../dev/server.mjs';
import { firewall, makeWorld, newRun, serverGroup } from '../dev/world.mjs';
import { must, openBrowser, step } from './browser.mjs';

const EVIL = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>\u202Eknil"'\u200B`;
const LINK = 'javascript:document.title=`owned`';

function hostileWorld() {
  const world = makeWorld();
  const group = serverGroup(`evil-v000`, { up: 1, down: 1, version: EVIL, created: Date.now() });
  Object.assign(group, { name: `${EVIL}-v000`, cluster: EVIL, image: LINK, previewAddress: LINK });
  group.moniker.cluster = EVIL;
  for (const instance of group.instances) Object.assign(instance, { name: EVIL, zone: EVIL, privateIpAddress: LINK, health: [{ state: instance.healthState, description: EVIL }] });
  world.groups = [group];
  world.pipelines = [{ ...world.pipelines[0], name: EVIL, description: EVIL, stages: world.pipelines[0].stages.map((stage) => ({ ...stage, name: EVIL, instructions: EVIL })) }];
  const run = newRun('01EVIL', { type: EVIL, user: EVIL });
  Object.assign(run, { name: EVIL, status: 'TERMINAL' });
  run.stages[0] = { ...run.stages[0], name: EVIL, type: EVIL, status: 'TERMINAL', startTime: Date.now(), context: { [EVIL]: EVIL, exception: { details: { errors: [EVIL] } } }, outputs: { link: LINK, nested: { [EVIL]: [EVIL, LINK] } }, tasks: [{ id: '1', name: EVIL, status: 'TERMINAL' }] };
  world.runs = [run];
  world.logs.set(run.stages[0].id, [EVIL, '\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u001b[0m\rback', 'x'.repeat(20_000)]);
  for (const task of world.tasks) task.name = EVIL;
  world.firewalls = [{ ...firewall(EVIL, EVIL, [`${EVIL}/8`]), application: '<b>evil</b>' }];
  world.images = [{ ...world.images[0], imageName: EVIL, imageId: LINK, tags: { appversion: EVIL } }];
  world.attributes = { name: EVIL, email: EVIL, description: EVIL, repoSlug: LINK, lastModifiedBy: EVIL, permissions: { READ: [EVIL] }, trafficGuards: [{ account: EVIL, location: EVIL, stack: EVIL, detail: LINK }], [EVIL]: { [EVIL]: LINK } };
  world.project = { name: EVIL, email: EVIL };
  world.account = { name: EVIL, cloudProvider: EVIL, environment: EVIL, regions: [{ name: EVIL, availabilityZones: [EVIL] }] };
  world.user = { username: EVIL, roles: [EVIL] };
  world.operations = [{ root: EVIL, id: 1, at: Date.now(), who: EVIL, command: EVIL, changes: [{ kind: 'repo', name: EVIL, what: 'changed', addedCount: 1, added: [EVIL] }] }];
  world.told = [{ id: '1', execution: run.id, stage: run.stages[0].id, event: EVIL, kind: EVIL, address: LINK, at: Date.now(), attempts: 1, error: EVIL }];
  world.happenings = [{ at: Date.now(), who: EVIL, kind: 'notification', execution: run, notification: world.told[0] }];
  return { world, run };
}

const { world, run } = hostileWorld();
const { base, server } = await serve(0, world);
const { browser, page, complaints } = await openBrowser();
const app = `${base}/ui/applications/${encodeURIComponent('<b>evil</b>')}`;
const stage = encodeURIComponent(run.stages[0].id);

const screens = {
  home: `${base}/ui/`,
  clusters: `${app}/clusters?group=${encodeURIComponent(world.groups[0].name)}&instance=${encodeURIComponent(world.groups[0].instances[1].id)}`,
  'a clone': `${app}/clusters?group=${encodeURIComponent(world.groups[0].name)}&do=clone`,
  'a new server group': `${app}/clusters?do=create`,
  'load balancers': `${app}/load-balancers`,
  'deleting a load balancer': `${app}/load-balancers?balancer=hellospinnaker&do=delete`,
  'changing a load balancer': `${app}/load-balancers?balancer=hellospinnaker&do=edit`,
  firewalls: `${app}/firewalls`,
  'changing a firewall': `${app}/firewalls?firewall=${encodeURIComponent(EVIL)}&do=edit`,
  'deleting a firewall': `${app}/firewalls?firewall=${encodeURIComponent(EVIL)}&do=delete`,
  pipelines: `${app}/pipelines?start=${encodeURIComponent(EVIL)}`,
  run: `${app}/runs/01EVIL`,
  'run as a table': `${app}/runs/01EVIL?lens=table`,
  'run on a time axis': `${app}/runs/01EVIL?lens=timeline`,
  expressions: `${app}/runs/01EVIL?tab=expressions&stage=${stage}`,
  log: `${app}/runs/01EVIL?tab=log&stage=${stage}`,
  data: `${app}/runs/01EVIL?tab=data&stage=${stage}`,
  tasks: `${app}/tasks?task=01TASK1`,
  config: `${app}/config?revision=2`,
  'editing an application': `${app}/config?edit=attributes`,
  'deleting an application': `${app}/config?edit=delete`,
  projects: `${base}/ui/projects`,
  'a project': `${base}/ui/projects/${encodeURIComponent(EVIL)}?edit=project`,
  settings: `${base}/ui/settings?account=${encodeURIComponent(EVIL)}`,
  activity: `${base}/ui/activity?who=${encodeURIComponent(EVIL)}&object=${encodeURIComponent('<')}`,
  'an address that does not exist': `${base}/ui/${encodeURIComponent(EVIL)}`,
};

try {
  for (const [name, address] of Object.entries(screens)) {
    await step(`${name} shows hostile names and does nothing with them`, async () => {
      await page.goto(address);
      await page.waitForLoadState('networkidle').catch(() => undefined);
      await page.waitForTimeout(200);
      if (address.includes('do=')) await page.locator('dialog[open]').waitFor();
      must((await page.title()) === 'Gennaker', `the title became ${await page.title()}`);
      const grown = await page.evaluate(() => document.querySelectorAll('#root img, #root script, #root b, [onerror], a[href^="javascript:"]').length);
      must(grown === 0, `${grown} elements grew out of names`);
      must((await page.locator('#root').innerText()).length > 10, 'the screen is empty');
      must(!/[\u001b\u0007]/.test(await page.locator('#root').innerText()), 'terminal escapes are shown');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      must(wide <= 1440, `the screen is ${wide} pixels wide`);
    });
  }
  await step('the palette finds hostile names and does nothing with them', async () => {
    await page.goto(screens.home);
    await page.locator('[data-finder]').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search and commands' }).fill('onerror');
    await page.getByRole('option').nth(2).waitFor();
    const grown = await page.evaluate(() => document.querySelectorAll('dialog img, dialog script, [onerror]').length);
    must(grown === 0 && (await page.title()) === 'Gennaker', 'elements grew out of names');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/applications\//);
    must((await page.title()) === 'Gennaker', `the title became ${await page.title()}`);
  });
  const faults = complaints.filter((one) => !/404/.test(one));
  must(faults.length === 0, `the page complained:\n  ${faults.join('\n  ')}`);
  console.log('all of it is inert');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
