// The second half of wizards.mjs: what is done with an application that serves already.

import { must, step } from './browser.mjs';

/** Clones and replaces versions, puts the load balancer behind a firewall, deletes what is not needed. `walk` has what the first half made. */
export async function afterwards(walk) {
  await theClone(walk);
  await theSick(walk);
  await theFirewall(walk);
  await theRest(walk);
}

async function theClone({ page, dialog, field, button, picture, accessible, succeeds, answers, address, app, under, images }) {
  await step('a clone is prefilled, and takes the traffic over', async () => {
    await page.goto(`${under}/clusters?group=${app}-v000`);
    await page.locator('.drawer').getByRole('link', { name: 'Clone' }).click();
    await dialog.getByRole('heading', { name: `Clone ${app}-v000` }).waitFor();
    must((await field('Instances').inputValue()) === '4', 'the size is not that of the group');
    const folder = dialog.getByRole('textbox', { name: 'Folder' });
    must((await folder.inputValue()).endsWith('/hello-1.0'), 'it would not run the same');
    await folder.fill(`${images}/hello-2.0`);
    await dialog.getByText(`Loses its traffic once ${app}-v001 is up: ${app}-v000.`).waitFor();
    await accessible('cloning');
    await button('Deploy').click();
    await succeeds('cloning');
    await answers(address, 'This is v2');
  });

  await step('highlander says by name and number what it would destroy', async () => {
    await page.goto(`${under}/clusters?do=create`);
    await field('What becomes of the versions before').selectOption('highlander');
    await dialog.locator('.losing').getByText(`${app}-v001 (4 instances)`).waitFor();
    await picture('highlander');
    for (const strategy of ['rollingredblack', 'rolling', 'canary', 'none']) {
      await field('What becomes of the versions before').selectOption(strategy);
      await accessible(`the strategy ${strategy}`);
    }
    await button('Cancel').click();
    await dialog.waitFor({ state: 'detached' });
  });
}

async function theSick({ page, dialog, field, button, picture, accessible, ended, answers, address, app, under, images, limit }) {
  await step('a version that never gets well says why, and is stopped', async () => {
    await page.goto(`${under}/clusters?do=create`);
    await dialog.getByRole('textbox', { name: 'Folder' }).fill(`${images}/hello-3.0`);
    await field('Stack').fill('sick');
    await field('Instances').fill('1');
    await button('Deploy').click();
    await dialog.locator('.following .why').getByText('answered 500').first().waitFor({ timeout: limit });
    await accessible('a version that is sick');
    await picture('sick');
    await button('Stop the task').click();
    must((await ended()) === 'CANCELED', 'the task was not stopped');
    await button('Back to the form').click();
    await dialog.locator('.group-name').getByText(`${app}-sick-v001`, { exact: true }).waitFor();
    await button('Cancel').click();
    await answers(address, 'This is v2');
  });
}

async function theFirewall({ page, dialog, field, button, picture, accessible, ended, succeeds, answerAt, answers, address, app, under }) {
  await step('a firewall is created', async () => {
    await page.goto(`${under}/firewalls`);
    await page.getByRole('button', { name: 'Create a firewall' }).click();
    await field('From').fill('10.0.0.0/33');
    await dialog.getByText('"10.0.0.0/33" is no network').waitFor();
    await field('From').fill('10.0.0.0/8');
    await accessible('creating a firewall');
    await button('Create').click();
    await succeeds('creating the firewall');
    await button('Close').last().click();
    await page.locator(`[data-firewall="${app}"]`).getByText('10.0.0.0/8').waitFor();
    await accessible('firewalls');
    await picture.screen('firewalls');
  });

  await step('the load balancer gets behind it, and users from elsewhere are turned away', async () => {
    await page.goto(`${under}/load-balancers?balancer=${app}&do=edit`);
    await dialog.getByRole('checkbox', { name: app, exact: true }).check();
    await accessible('changing a load balancer');
    await button('Save').click();
    await succeeds('changing the load balancer');
    must((await answerAt(address).then(() => 'it answers', () => 'nothing')) === 'nothing', 'users from 127.0.0.1 are let in');
  });

  await step('a firewall that is in use is not deleted: the server says why', async () => {
    await page.goto(`${under}/firewalls?firewall=${app}&do=delete`);
    await dialog.locator('.losing').getByText(app, { exact: true }).waitFor();
    await accessible('deleting a firewall');
    await button('Delete').click();
    must((await ended()) === 'TERMINAL', 'a firewall that is in use was deleted');
    must((await dialog.locator('.following .why').innerText()).includes('is behind firewall'), 'it does not say why');
    await button('Close').last().click();
  });

  await step('its rules are changed, and users are let in again', async () => {
    await page.goto(`${under}/firewalls?firewall=${app}&do=edit`);
    await dialog.getByRole('button', { name: 'Add a rule' }).click();
    await dialog.locator('input').and(dialog.getByLabel('From')).nth(1).fill('127.0.0.0/8');
    await accessible('changing a firewall');
    await button('Save').click();
    await succeeds('changing the firewall');
    await answers(address, 'This is v2');
  });

  await step('out of use it is deleted', async () => {
    await page.goto(`${under}/load-balancers?balancer=${app}&do=edit`);
    await dialog.getByRole('checkbox', { name: app, exact: true }).uncheck();
    await button('Save').click();
    await succeeds('changing the load balancer back');
    await answers(address, 'This is v2');
    await page.goto(`${under}/firewalls`);
    await page.getByRole('link', { name: `Delete: ${app}` }).click();
    await button('Delete').click();
    await succeeds('deleting the firewall');
    await button('Close').last().click();
    await page.getByText('This application has no firewall').waitFor();
  });
}

async function theRest({ page, dialog, field, button, picture, accessible, ended, succeeds, app, under }) {
  await step('deleting a load balancer says what it carries; one that carries nothing goes', async () => {
    await page.goto(`${under}/load-balancers?balancer=${app}&do=delete`);
    await dialog.getByText('It carries 3 server groups with 4 instances that are up').waitFor();
    await accessible('deleting a load balancer');
    await picture('delete-load-balancer');
    await button('Delete').click();
    must((await ended()) === 'TERMINAL', 'a load balancer with server groups behind it was deleted');
    await button('Close').last().click();
    await page.getByRole('button', { name: 'Create a load balancer' }).click();
    must((await field('Name').inputValue()) === `${app}-2`, 'the name that is proposed is taken');
    await field('Protocol').selectOption('TCP');
    await field('Port').fill('');
    await field('Kind').selectOption('TCP');
    await button('Create').click();
    await succeeds('creating another load balancer');
    await button('Close').last().click();
    await page.getByRole('link', { name: `Delete: ${app}-2` }).click();
    await button('Delete').click();
    await succeeds('deleting it');
    await button('Close').last().click();
    await page.getByText('1 load balancer', { exact: true }).waitFor();
  });

  await step('the task is found in the Tasks tab', async () => {
    await page.goto(`${under}/tasks`);
    await page.getByText(`Create server group: ${app}-v000`).first().waitFor();
  });

  await step('on a small screen, in Korean and in the dark the forms fit', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('select.choice').selectOption('ko');
    for (const path of ['clusters?do=create', 'load-balancers?do=create', 'firewalls?do=create', 'firewalls']) {
      await page.goto(`${under}/${path}`);
      await (path.includes('do=') ? dialog : page.getByRole('button', { name: '방화벽 만들기' })).waitFor();
      const wide = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll('.dialog-body')].map((one) => one.scrollWidth)));
      must(wide <= 390, `${path} is ${wide} pixels wide at 390`);
      await accessible(`${path} in Korean and in the dark`);
      await picture(`small-${path.replace(/\W+/g, '-')}`);
    }
  });
}
