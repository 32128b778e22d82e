// The parts of a pipeline that have forms of their own, below its fields: expected artifacts and notifications.

import { must, step } from './browser.mjs';
import { forms } from './forms.mjs';

/** Walks through them in the editor of a pipeline with a cron trigger; `served` gives the pipeline as the server has it. */
export async function parts({ page, accessible, picture, checked, save, served }) {
  const { place, field, kinds, trial } = forms(page);
  await step('an expected artifact is added, asked for by a trigger, and keeps what no form knows', async () => {
    await page.getByRole('button', { name: 'Add expected artifact' }).click();
    const card = page.locator('[data-artifact=artifact-1]');
    await card.getByText('a run does not look for it').waitFor();
    await field('$.expectedArtifacts[0].displayName').fill('the package');
    await field('$.expectedArtifacts[0].matchArtifact.name').fill('hello.*');
    await page.locator('[data-trigger=cron]').getByLabel('the package').check();
    await card.getByText('trigger 1, cron').waitFor();
    await place('$.expectedArtifacts[0].useDefaultArtifact').getByRole('checkbox').check();
    await page.locator('[data-problem="$.expectedArtifacts[0].defaultArtifact"]').waitFor();
    await place('$.expectedArtifacts[0].defaultArtifact').getByRole('button', { name: '+ Add' }).click();
    await field('$.expectedArtifacts[0].defaultArtifact.name').fill('hello');
    await place('$.expectedArtifacts[0].usePriorArtifact').getByRole('checkbox').check();
    await accessible('an expected artifact');
    await picture.screen('artifacts');
    await checked();
    await save();
    const [artifact] = (await served()).expectedArtifacts;
    must(artifact.id === 'artifact-1' && artifact.matchArtifact.name === 'hello.*' && artifact.usePriorArtifact && artifact.defaultArtifact.name === 'hello', `saved was ${JSON.stringify(artifact)}`);
    must((await served()).triggers[0].expectedArtifactIds.join() === 'artifact-1', 'the trigger does not ask for it');
  });

  await step('somebody is told of the pipeline and of a stage, in words of one’s own', async () => {
    // Offered first is what the server sends; what it cannot send is kept, and says what is missing.
    must((await kinds.inputValue()) === 'webhook', `offered first is ${await kinds.inputValue()}`);
    await kinds.selectOption('email');
    await page.getByRole('button', { name: 'Add notification' }).click();
    await field('$.notifications[0].address').fill('team@example.org');
    const card = page.locator('[data-notification=email]');
    await card.getByText('has to configure [notifications.email] first').waitFor();
    must(await trial(card).isDisabled(), 'a trial can be sent that the server cannot send');
    await card.getByLabel('when a run ended well', { exact: true }).check();
    await card.getByLabel('Message when a run failed').fill('It failed: ${execution.id}');
    await accessible('a notification');
    await picture.screen('notifications');
    await page.locator('[data-node="2"]').click();
    await page.locator('[data-notifications] > summary').click();
    await kinds.selectOption('email');
    await page.getByRole('button', { name: 'Add notification' }).click();
    await field('$.stages[1].notifications[0].address').fill('team@example.org');
    must(await page.getByLabel('Tell of this stage').isChecked(), 'the stage would tell nobody');
    await page.getByLabel('when somebody is asked', { exact: true }).waitFor();
    await accessible('a notification of a stage');
    await checked();
    await save();
    const kept = await served();
    const [whole] = kept.notifications;
    must(whole.when.join() === 'pipeline.complete,pipeline.failed' && whole.message['pipeline.failed'].text.startsWith('It failed'), `saved was ${JSON.stringify(whole)}`);
    must(kept.stages[1].sendNotifications === true && kept.stages[1].notifications[0].when.join() === 'manualJudgment', `saved was ${JSON.stringify(kept.stages[1])}`);
    await page.locator('[data-whole]').click();
  });
}
