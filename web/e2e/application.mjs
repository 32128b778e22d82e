// Makes an application through the API, and waits until it is there.

import { must } from './browser.mjs';

export async function makeApplication(base, application) {
  const job = { type: 'createApplication', application: { name: application, email: 'terry@example.org' } };
  const answer = await fetch(`${base}/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ application, description: 'for the editor', job: [job] }),
  });
  must(answer.ok, `the application could not be made: ${answer.status}`);
  const { ref } = await answer.json();
  for (let tries = 0; tries < 100; tries++) {
    const task = await (await fetch(`${base}${ref}`)).json();
    if (task.status === 'SUCCEEDED') return;
    must(task.status !== 'TERMINAL', 'the application could not be made');
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the application was not made in time');
}
