// Walks through clusters, reports and runs: acts on server groups and instances, reads a log, looks at the report of a deployment with users
// on it, rolls back, holds a run, skips its wait, restarts a stage.
//
//   node e2e/runs.mjs BASE --images FOLDER [--pictures FOLDER]
//
// BASE is the address of a fresh server; FOLDER has the images hello-1.0, hello-2.0 and hello-3.0. Everything else the script makes itself.

import { conclude, must, step } from './browser.mjs';
import { accessible, act, base, browser, complaints, confirm, dialog, everywhere, images, page, picture, row, under } from './runs-page.mjs';
import { ask, beginUsers, cluster, job, makeWorld, PATIENCE, until } from './runs-world.mjs';

async function clustersWalk() {
  await step('the world is there', () => makeWorld(base, images));

  await step('a group is resized, and the page says it before and after', async () => {
    await page.goto(`${under}/clusters?group=hello-v000`);
    await page.locator('[data-stream=live]').waitFor();
    await everywhere('clusters');
    await act('resize', {
      before: async () => {
        await dialog.getByLabel('Instances', { exact: true }).fill('6');
        await dialog.getByText('2 instances start.').waitFor();
      },
      says: ['resize hello-v000 6', '"capacity":{"min":6,"desired":6,"max":6}', '4', '6'],
    });
    await row('hello-v000').getByText('6 of 6 up').waitFor();
  });

  await step('a size that cannot be is said at the field', async () => {
    await page.locator('[data-act=resize]').click();
    await dialog.getByLabel('Instances', { exact: true }).fill('2');
    await dialog.getByText('Minimum and maximum').click();
    await dialog.getByLabel('At least').fill('3');
    await dialog.getByRole('alert').first().waitFor();
    must(await dialog.locator('[data-confirm=resize]').isDisabled(), 'a size below the minimum can be confirmed');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  await step('it is disabled, with a warning that nobody answers then', async () => {
    await act('disable', { says: ['hello-v000 carries 100% of the traffic of hello.', 'Nobody answers the users of hello after that.'] });
    await row('hello-v000').getByText('disabled').waitFor();
  });

  await step('and enabled again', async () => {
    await act('enable', { says: ['server-group enable hello-v000'] });
    await row('hello-v000').getByText('healthy').waitFor();
    await row('hello-v000').getByText('100%').waitFor();
  });

  await step('a guard is told, and what it refuses is said where it was asked', async () => {
    await job(base, { type: 'updateApplication', application: { name: 'hello', email: 'terry@example.com', trafficGuards: [{ account: '*', location: '*', stack: '*', detail: '*', enabled: true }] } });
    await page.reload();
    await act('disable', { before: () => dialog.locator('[data-warning=refused]').waitFor(), says: ['the server will refuse this'], end: 'TERMINAL' });
    await page.locator('.following [role=alert]').getByText('traffic guards enabled').waitFor();
    await job(base, { type: 'updateApplication', application: { name: 'hello', email: 'terry@example.com', trafficGuards: [] } });
    await page.getByRole('button', { name: 'Dismiss' }).click();
  });

  await step('the log of an instance is a tab with an address', async () => {
    await row('hello-v000').locator('.tile').first().click();
    await page.locator('.drawer-tab').getByText('Log').click();
    await page.locator('.instance-console .log-text').getByText('listening on').first().waitFor();
    must(/view=log/.test(page.url()), `the log is not in the address ${page.url()}`);
    await page.reload();
    await page.locator('.instance-console .log-text').getByText('listening on').first().waitFor();
    await everywhere('log of an instance');
    await picture('instance-log');
  });

  await step('an instance goes out of the load balancer and back into it', async () => {
    await act('deregister', { says: ['deregisterInstancesFromLoadBalancer'] });
    await row('hello-v000').locator('.tile[data-state=OutOfService]').waitFor();
    await act('register', { says: ['registerInstancesWithLoadBalancer'] });
    await row('hello-v000').getByText('6 of 6 up').waitFor();
  });

  await step('it is rebooted', async () => {
    await act('reboot', { says: ['rebootInstances'] });
    await row('hello-v000').getByText('6 of 6 up').waitFor({ timeout: PATIENCE });
  });

  await step('it is terminated, and another one comes in its place', async () => {
    const gone = new URL(page.url()).searchParams.get('instance');
    // One that is still coming back from its reboot takes no traffic yet: the dialog follows that.
    await act('terminate', { before: () => dialog.getByText('5 instances take the traffic that 6 take now').waitFor(), says: ['The group starts another one in its place.'] });
    await until(base, '/applications/hello/serverGroups', (groups) => {
      const group = groups.find((one) => one.name === 'hello-v000');
      return group.instances.length === 6 && group.instances.every((one) => one.id !== gone && one.healthState === 'Up');
    }, 'no instance comes in its place');
    await row('hello-v000').getByText('6 of 6 up').waitFor();
    await page.locator(`.tile[aria-label*="${gone}"]`).waitFor({ state: 'detached' });
  });
}

async function reportWalk() {
  await step('a deployment with users on it has a report, a link away', async () => {
    await page.goto(`${under}/clusters`);
    const users = await beginUsers(base);
    const task = await job(base, { type: 'deploy', clusters: [cluster(images, 'hello-2.0', { strategy: 'redblack', delayBeforeDisableSec: 2 })] });
    await until(base, `/executions/${task}/deploymentReport`, (report) => report.final === true, 'no report is written');
    const { failed, answers } = await users.end();
    must(failed === 0 && answers > 0, `${failed} of ${answers} requests of the users failed`);
    await page.goto(`${under}/tasks?task=${task}`);
    await page.locator(`[data-report="${task}"]`).click();
    await page.locator('[data-verdict]').waitFor();
    const said = await page.locator('[data-verdict]').innerText();
    must(/^0 of [1-9][\d,]* requests failed$/.test(said), `the report says "${said}"`);
    must((await page.locator('[data-layer]').count()) === 2, 'the old and the new are not both in the picture');
    must((await page.locator('svg [data-failures="0"] .pic-failure').count()) === 0, 'the strip of failures is not empty');
    await everywhere('deployment report');
    await picture.screen('report');
  });

  await step('a second of it has an address, and its numbers are a table', async () => {
    await page.locator('.report-moment input').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/at=2$/);
    await page.reload();
    await page.locator('.report-when').getByText('At ').waitFor();
    await page.locator('.report-seconds summary').click();
    await page.locator('.report-seconds tbody tr').nth(3).waitFor();
    await accessible('the table of a report');
  });

  await step('the cluster is rolled back and the version left is held back', async () => {
    await page.goto(`${under}/clusters?group=hello-v001`);
    await row('hello-v001').getByText('100%').waitFor();
    await act('rollback', {
      before: () => dialog.getByLabel('Reason').fill('orders fail'),
      says: ['hello-v000 is enabled and gets the size of hello-v001', 'hello-2.0 is then held back', 'gennaker rollback hello --cluster hello --to hello-v000'],
    });
    await row('hello-v000').getByText('100%').waitFor();
    await row('hello-v001').locator('.held-mark').waitFor();
    await page.locator('[data-held]').getByText('rolled it back (orders fail)').waitFor();
    await everywhere('clusters with a version held back');
    await picture('held-back');
  });

  await step('and may come again when somebody says so', async () => {
    await page.getByRole('button', { name: 'Let it come again' }).click();
    await dialog.waitFor();
    must((await dialog.innerText()).includes('gennaker release hello '), 'the dialog does not say the command');
    await accessible('letting a version come again');
    await dialog.locator('[data-confirm=release]').click();
    await page.locator('.held-mark').first().waitFor({ state: 'detached' });
  });

  await step('a group is destroyed only when its name is typed', async () => {
    await page.locator('[data-act=destroy]').click();
    await dialog.getByLabel('Type hello-v001 to confirm').waitFor();
    must(await dialog.locator('[data-confirm=destroy]').isDisabled(), 'it can be destroyed without its name');
    await page.keyboard.press('Escape');
    await act('destroy', { before: () => dialog.getByLabel('Type hello-v001 to confirm').fill('hello-v001'), says: ['This cannot be undone', 'gone'] });
    await row('hello-v001').waitFor({ state: 'detached' });
  });
}

async function runsWalk() {
  const start = async (name) => (await ask(base, 'POST', `/pipelines/hello/${encodeURIComponent(name)}`, { type: 'manual' })).ref.split('/').pop();
  const small = await start('Small steps');

  await step('a run is paused and resumed', async () => {
    await page.goto(`${under}/runs/${small}`);
    await page.locator('[data-stage="Pause here"]').waitFor();
    await confirm('pause', ['gennaker pipeline execution pause', 'Nothing new begins', 'Pause here']);
    await page.locator('[data-run-status=PAUSED]').waitFor();
    await confirm('resume', ['gennaker pipeline execution resume', 'Held by']);
    await page.locator('[data-run-status=RUNNING]').waitFor();
  });

  await step('its expressions say what they gave and why one failed', async () => {
    await page.getByRole('button', { name: 'Expressions' }).click();
    await page.locator('[data-expression*="nothing.of.that"] .why').waitFor();
    await page.locator('.graph-node').first().click();
    await page.locator('[data-expression*="execution.application"]').getByText('hello hello').waitFor();
    await everywhere('expressions');
    await picture('expressions');
  });

  await step('arrow keys walk the graph along its edges', async () => {
    await page.locator('.graph-node').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('[data-stage="Pause here"]').waitFor();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.locator('[data-stage="Aside"]').waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.locator('[data-stage="Pause here"]').waitFor();
  });

  await step('its wait is skipped', async () => {
    await page.getByRole('button', { name: 'Summary' }).click();
    await confirm('skip', ['The wait ends now instead of in', 'And there', '"skipRemainingWait":true', 'gennaker pipeline execution skip']);
    await page.locator('[data-run-status=SUCCEEDED]').waitFor({ timeout: PATIENCE });
  });

  await step('a stage is restarted, and what is behind it is named first', async () => {
    await page.locator('.graph-node', { hasText: 'Pause here' }).click();
    await page.locator('[data-act=restart]').click();
    await dialog.waitFor();
    const named = await dialog.locator('.inner-list li').allInnerTexts();
    must(['Pause here', 'And there', 'Aside'].every((name, at) => named[at]?.startsWith(name)), `the dialog names ${named.join(', ')}`);
    await page.keyboard.press('Escape');
    await page.locator('.graph-node', { hasText: 'And there' }).click();
    await page.locator('[data-stage="And there"]').waitFor();
    const started = async () => (await ask(base, 'GET', `/pipelines/${small}`)).stages.find((stage) => stage.name === 'And there').startTime;
    const before = await started();
    await confirm('restart', ['These stages run anew', 'And there', 'gennaker pipeline execution restart']);
    await until(base, `/pipelines/${small}`, (run) => run.status === 'SUCCEEDED' && run.stages.find((stage) => stage.name === 'And there').startTime > before, 'the stage does not run anew');
    await page.locator('[data-run-status=SUCCEEDED]').waitFor({ timeout: PATIENCE });
  });

  await step('a run that deploys stops at its judgment, which says what it is about', async () => {
    const run = await start('To the next version');
    await page.goto(`${under}/runs/${run}`);
    await page.locator('[data-act=skip]').click();
    await dialog.locator('[data-confirm=skip]').click();
    await page.locator('.judgment-facts').waitFor({ timeout: PATIENCE });
    await page.locator('.judgment-facts').getByText('hello-1.0 → hello-2.0').waitFor();
    const facts = await page.locator('.judgment-facts').innerText();
    for (const part of ['started by hand', 'Waiting for', 'Expires', 'Look back', 'these do not run']) must(facts.includes(part), `the judgment does not say "${part}":\n${facts}`);
    await everywhere('judgment');
    await picture.screen('judgment');
  });

  await step('one key shows it on a time axis, another one as a table, another one as a graph', async () => {
    await page.locator('h1').click({ trial: true });
    await page.keyboard.press('t');
    await page.locator('[data-row="Deploy"] .tl-piece.waits').first().waitFor();
    await page.locator('[data-row="waitForUpInstances"] .tl-piece.waits').waitFor();
    await page.locator('[data-row="createServerGroup"] .tl-piece:not(.waits)').waitFor();
    must(/lens=timeline/.test(page.url()), `the lens is not in the address ${page.url()}`);
    await everywhere('timeline');
    await picture.screen('timeline');
    await page.locator('[data-row="Deploy"]').focus();
    await page.keyboard.press('ArrowDown');
    must((await page.evaluate(() => document.activeElement?.getAttribute('data-row'))) === 'Deploy in local', 'the arrow does not walk the rows');
    await page.keyboard.press('l');
    await page.locator('.stage-open').first().waitFor();
    await page.keyboard.press('g');
    await page.locator('.graph-node').first().waitFor();
  });

  await step('its deploy stage leads to the report, and Continue ends it', async () => {
    await page.locator('[data-judge=continue]').click();
    await page.locator('[data-run-status=SUCCEEDED]').waitFor({ timeout: PATIENCE });
    await page.locator('.graph-node', { hasText: 'Deploy' }).click();
    await page.locator('.stage-acts [data-report]').click();
    await page.locator('[data-verdict], .notice').first().waitFor();
  });

  await step('a run that moved no traffic says so', async () => {
    const allowed = complaints.length;
    await page.goto(`${under}/runs/${small}/report`);
    await page.getByText('moved no traffic').waitFor();
    await accessible('no report');
    // The browser itself remarks on the 404 that is the answer here.
    complaints.splice(allowed, complaints.length, ...complaints.slice(allowed).filter((one) => !/404/.test(one)));
  });
}

await conclude({ browser, page, complaints }, 'the runs walk is done', async () => {
  await clustersWalk();
  await reportWalk();
  await runsWalk();
});
