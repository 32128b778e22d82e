// The walk through Config of an application and through Projects.

import { must, step } from './browser.mjs';
import { accessible, dialog, job, kinds, page, picture, request, small, trial, ui, values } from './frame-kit.mjs';

export async function config() {
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

  await step('somebody is told of all pipelines, of others then, and of none at last', async () => {
    await request('POST', '/notifications/application/hello', { application: 'hello', own: 1, slack: [{ type: 'slack', address: '#ops', when: ['pipeline.failed'], own: 2 }] });
    const kept = () => request('GET', '/notifications/application/hello');
    await page.reload();
    await page.locator('[data-notification="slack.0"]').waitFor();
    await kinds.selectOption('email');
    await page.locator('[data-add-notification]').click();
    must(page.url().includes('notification=email'), `the open dialog is not in the address ${page.url()}`);
    must(await page.locator('[data-confirm=notification]').isDisabled(), 'one without an address could be saved');
    await dialog.getByLabel('To', { exact: false }).first().fill('nobody');
    await dialog.getByText('Write an address').waitFor();
    await dialog.getByLabel('To', { exact: false }).first().fill('team@example.org');
    await dialog.getByLabel('when a run failed', { exact: true }).uncheck();
    await dialog.getByText('Choose at least one.').waitFor();
    await dialog.getByLabel('when a run ended well', { exact: true }).check();
    await dialog.getByLabel('Message when a run ended well').fill('It went well: ${execution.id}');
    must((await dialog.innerText()).includes('/notifications/application/hello'), 'the dialog does not say the request');
    await dialog.getByText('has to configure [notifications.email] first').waitFor();
    must(await trial(dialog).isDisabled(), 'a trial can be sent that the server cannot send');
    await accessible('adding a notification');
    await picture('config-notification');
    await small('adding a notification');
    await page.locator('[data-confirm=notification]').click();
    await dialog.waitFor({ state: 'detached' });
    await page.locator('[data-notification="email.0"]').waitFor();
    await small('config with notifications');
    await page.getByRole('button', { name: 'Edit slack to #ops' }).click();
    await dialog.getByText('What no field shows stays: own.').waitFor();
    await dialog.getByLabel('To', { exact: false }).first().fill('#team');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    const both = await kept();
    must(both.own === 1 && both.slack[0].own === 2 && both.slack[0].address === '#team' && both.email[0].when.join() === 'pipeline.complete', `saved was ${JSON.stringify(both)}`);
    await page.getByRole('button', { name: 'Remove slack to #team' }).click();
    await accessible('removing a notification');
    await page.locator('[data-confirm=unnotify]').click();
    await page.locator('[data-notification="slack.0"]').waitFor({ state: 'detached' });
    must((await kept()).slack === undefined, 'it is still there');
  });

  await step('an earlier state is shown and restored', async () => {
    await page.getByRole('button', { name: 'Show state 1' }).click();
    must(page.url().includes('revision='), `the open state is not in the address ${page.url()}`);
    await page.locator('.state-body [data-change=email]').first().waitFor();
    await accessible('the history');
    await picture.screen('config');
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

export async function projects() {
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
    await picture.screen('project');
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
