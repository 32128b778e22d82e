// Drops a package on the page of an empty server, and ends with a service that answers.
//
//   node e2e/up.mjs BASE --port PORT [--pictures FOLDER]
//
// PORT is free: the service's users come in there.

import { parseArgs } from 'node:util';
import { conclude, must, openBrowser, step } from './browser.mjs';
import { deb } from './deb.mjs';
import { accessible, pictures } from './looks.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { port: { type: 'string' }, pictures: { type: 'string' } } });
const base = positionals[0]?.replace(/\/$/, '');
if (base === undefined || values.port === undefined) {
  console.error('usage: node e2e/up.mjs BASE --port PORT [--pictures FOLDER]');
  process.exit(2);
}
const { browser, page, complaints } = await openBrowser({ viewport: { width: 1280, height: 860 } });
const picture = pictures(page, values.pictures);
const dialog = page.locator('dialog[open]');

const PROGRAM = `use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ENV{PORT}", Listen => 100, ReuseAddr => 1) or die "cannot listen: $!";
while (my $c = $s->accept) {
  while (my $l = <$c>) { last if $l eq "\\r\\n"; }
  print $c "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\nConnection: close\\r\\n\\r\\nhello";
  close $c;
}
`;
const UNIT = '[Service]\nExecStart=/usr/bin/perl /usr/share/hello/server.pl\n';
const file = deb('hello', '1.0', [['./usr/share/hello/server.pl', PROGRAM], ['./usr/lib/systemd/system/hello.service', UNIT]]);

await conclude({ browser, page, complaints }, 'the up walk is done', async () => {
  await step('what would be made of a package is shown first', async () => {
    await page.goto(`${base}/ui/`);
    await page.locator('.first-card input[type=file]').setInputFiles({ name: 'hello_1.0_all.deb', mimeType: 'application/vnd.debian.binary-package', buffer: file });
    await dialog.locator('[data-plan=hello_1\\.0_all]').waitFor();
    await dialog.getByLabel('Port').fill('99999');
    await dialog.locator('[aria-invalid]').waitFor();
    must(await page.locator('[data-confirm=up]').isDisabled(), 'a port that is none may be asked for');
    await dialog.getByLabel('Port').fill(values.port);
    await dialog.getByText(`port ${values.port}, checked at /`).waitFor();
    must((await dialog.innerText()).includes(`gennaker up hello_1.0_all.deb --port ${values.port} --server ${base}`), 'the dialog does not say the command');
    await accessible(page, 'the plan of a service');
    await picture('up');
    const { length } = await (await fetch(`${base}/applications`)).json();
    must(length === 0, 'a plan has made an application');
  });

  await step('its run is opened, and its users are served', async () => {
    await page.locator('[data-confirm=up]').click();
    await page.waitForURL(/\/applications\/hello\/runs\//);
    await page.locator('[data-run-status=SUCCEEDED]').waitFor();
    const answer = await fetch(`http://127.0.0.1:${values.port}/`);
    must((await answer.text()) === 'hello', 'the service does not answer');
    await accessible(page, 'the run of a service');
  });
});
