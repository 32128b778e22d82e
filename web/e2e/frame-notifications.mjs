// The walk through notifications: a trial in each form, whom a run told what, and what reached nobody.

import { createServer } from 'node:http';
import { must, step } from './browser.mjs';
import { accessible, dialog, field, page, picture, place, request, small, trial, ui } from './frame-kit.mjs';

/** Takes requests: what comes to /no is refused, all else is kept. */
async function receiver() {
  const events = [];
  const server = createServer(async (asked, answer) => {
    let body = '';
    for await (const part of asked) body += part;
    if (asked.url !== '/no') events.push(JSON.parse(body));
    answer.writeHead(asked.url === '/no' ? 410 : 200).end();
  });
  // A walk that fails does not wait for it.
  server.unref();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { events, server, at: `http://127.0.0.1:${server.address().port}` };
}

/** Has another notification by webhook in the open editor; gives its card. */
async function addWebhook(at, address) {
  await page.getByRole('button', { name: 'Add notification' }).click();
  const card = place(at);
  must(await trial(card).isDisabled(), 'a trial can be sent to nowhere');
  await field(`${at}.address`).fill(address);
  return card;
}

export async function notifications() {
  const { events, server, at } = await receiver();

  await step('a trial of a pipeline’s notification arrives, or says why not', async () => {
    await page.goto(`${ui}/applications/hello/pipelines/Always%20fails/edit`);
    const good = await addWebhook('$.notifications[0]', `${at}/yes`);
    await trial(good).click();
    await good.getByText('It was taken there').waitFor();
    must(events.length === 1 && events[0].event === 'trial', `what came is ${JSON.stringify(events)}`);
    const bad = await addWebhook('$.notifications[1]', `${at}/no`);
    await trial(bad).click();
    await bad.getByText('It was not sent: it answered 410').waitFor();
    await accessible('a trial');
    await picture('notification-trial');
    await field('$.notifications[1].address').fill('${trigger.user}');
    await bad.getByText('known in a run only').waitFor();
    must(await trial(bad).isDisabled() && (await bad.getByText('it answered 410').count()) === 0, 'what is said is of another address');
    await field('$.notifications[1].address').fill(`${at}/no`);
  });

  await step('and of a stage’s', async () => {
    await page.locator('.graph-node').first().click();
    await page.locator('[data-notifications] > summary').click();
    const card = await addWebhook('$.stages[0].notifications[0]', `${at}/stage`);
    await trial(card).click();
    await card.getByText('It was taken there').waitFor();
    await page.locator('[data-save]').click();
    await page.locator('[data-confirm=save]').click();
    await page.locator('[data-changed=no]').waitFor();
  });

  await step('and of an application’s', async () => {
    await page.goto(`${ui}/applications/hello/config?notification=webhook`);
    await dialog.getByLabel('To', { exact: false }).first().fill(`${at}/application`);
    await trial(dialog).click();
    await dialog.getByText('It was taken there').waitFor();
    must(events.length === 3 && events.every((one) => one.event === 'trial'), `what came is ${JSON.stringify(events)}`);
    await accessible('a trial in a dialog');
    await page.keyboard.press('Escape');
  });

  await step('a run says whom it told what, while it happens', async () => {
    const { ref } = await request('POST', '/pipelines/hello/Always%20fails', { type: 'manual', user: 'kim' });
    await page.goto(`${ui}/applications/hello/runs/${ref.split('/').pop()}`);
    const row = (state, what) => page.locator(`[data-told=webhook][data-state=${state}]`).filter({ hasText: what });
    await row('well', 'the run failed').getByText(`${at}/yes`).waitFor();
    await row('well', 'Never failed').getByText(`${at}/stage`).waitFor();
    await row('bad', 'the run failed').getByText('it answered 410').waitFor();
    must((await page.locator('[data-told]').count()) === 3, 'the run lists others');
    await accessible('a run that tells');
    await picture.screen('run-told');
    await small('a run that tells');
    must(events.slice(3).map((one) => one.event).sort().join() === 'pipeline.failed,stage.failed', `what came is ${JSON.stringify(events.slice(3))}`);
  });

  await step('what reached nobody is in Activity, and leads to its run', async () => {
    const run = page.url();
    await page.goto(`${ui}/activity`);
    await page.locator('[data-filter=kind]').selectOption('notification');
    const entry = page.locator('[data-happening=notification]').filter({ hasText: `${at}/no` });
    await entry.getByText('it answered 410').waitFor();
    await page.locator('[data-happening=run]').first().waitFor({ state: 'detached' });
    await accessible('what reached nobody');
    await picture('activity-notification');
    await small('what reached nobody');
    await entry.getByRole('link', { name: `Could not tell ${at}/no by webhook that Always fails failed` }).click();
    await page.waitForURL(run);
  });

  server.closeAllConnections();
  server.close();
}
