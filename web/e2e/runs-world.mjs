// The world of the walk through clusters and runs: an application with a load balancer, a version that is well and one that is not, made by
// the API alone; and users, who ask its load balancer all the time.

import http from 'node:http';

/** So long a task or a run may take. */
export const PATIENCE = 120_000;

export async function ask(base, method, path, body) {
  const answer = await fetch(base + path, { method, headers: { 'Content-Type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Asks again until `found` says that the answer is the one: the server's own word, not a guess of how long it takes. */
export async function until(base, path, found, what) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const seen = await ask(base, 'GET', path);
    if (found(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: ${path} is ${JSON.stringify(seen).slice(0, 600)}`);
    await new Promise((go) => setTimeout(go, 100));
  }
}

/** Does a job as a task and waits for its end; gives the task's id. */
export async function job(base, what, wanted = 'SUCCEEDED') {
  const { ref } = await ask(base, 'POST', '/tasks', { application: 'hello', description: what.type, job: [what] });
  const seen = await until(base, ref, (task) => !['RUNNING', 'NOT_STARTED'].includes(task.status), `${what.type} does not end`);
  if (seen.status !== wanted) throw new Error(`${what.type} ended ${seen.status}: ${JSON.stringify(seen.execution?.stages?.map((stage) => stage.context?.exception))}`);
  return ref.split('/').pop();
}

export function cluster(images, folder, more = {}) {
  return {
    account: 'local', application: 'hello', region: 'local', image: `${images}/${folder}`, capacity: { min: 4, max: 4, desired: 4 }, loadBalancers: ['hello'], ...more,
  };
}

export async function makeWorld(base, images) {
  await job(base, { type: 'createApplication', application: { name: 'hello', email: 'terry@example.com' } });
  await job(base, {
    type: 'upsertLoadBalancer', credentials: 'local', region: 'local', loadBalancerName: 'hello', portRange: '0',
    healthCheck: { healthCheckType: 'HTTP', requestPath: '/', checkIntervalSec: 0.2, timeoutSec: 1, healthyThreshold: 1, unhealthyThreshold: 2 },
  });
  await job(base, { type: 'deploy', clusters: [cluster(images, 'hello-1.0')] });
  const { ref } = await ask(base, 'POST', '/tasks', {
    application: 'hello', description: 'a sick one',
    job: [{ type: 'deploy', clusters: [cluster(images, 'hello-3.0', { stack: 'sick', enableTraffic: false, capacity: { min: 2, max: 2, desired: 2 } })] }],
  });
  await until(base, '/applications/hello/serverGroups', (groups) => groups.some((group) => group.name === 'hello-sick-v000' && group.instances.length === 2), `the sick version does not come (${ref})`);
  await ask(base, 'POST', '/pipelines', {
    application: 'hello', name: 'To the next version', limitConcurrent: true, stages: [
      { refId: '1', requisiteStageRefIds: [], type: 'wait', name: 'Take a breath', waitTime: 600 },
      { refId: '2', requisiteStageRefIds: ['1'], type: 'deploy', name: 'Deploy', clusters: [cluster(images, 'hello-2.0', { strategy: 'redblack' })] },
      { refId: '3', requisiteStageRefIds: ['2'], type: 'manualJudgment', name: 'Keep it?', instructions: 'The new version has the traffic. Shall it stay?' },
      { refId: '4', requisiteStageRefIds: ['3'], type: 'wait', name: 'Look back', waitTime: 1 },
    ],
  });
  await ask(base, 'POST', '/pipelines', {
    application: 'hello', name: 'Small steps', stages: [
      { refId: '1', requisiteStageRefIds: [], type: 'evaluateVariables', name: 'Set values', variables: [{ key: 'greeting', value: '${"hello " + execution.application}' }] },
      { refId: '2', requisiteStageRefIds: ['1'], type: 'wait', name: 'Pause here', waitTime: 600, comments: '${nothing.of.that}' },
      { refId: '3', requisiteStageRefIds: ['2'], type: 'wait', name: 'And there', waitTime: 1 },
      { refId: '4', requisiteStageRefIds: ['2'], type: 'noop', name: 'Aside' },
    ],
  });
}

/** Users of the load balancer: each asks, and asks again when it has an answer. */
export async function beginUsers(base, count = 4) {
  const [balancer] = await ask(base, 'GET', '/applications/hello/loadBalancers');
  const [host, port] = balancer.dnsName.split(':');
  const seen = { answers: 0, failed: 0 };
  let going = true;
  const one = () =>
    new Promise((done) => {
      const request = http.get({ host, port, path: '/', agent: false, timeout: 10_000 }, (answer) => {
        answer.resume();
        answer.on('end', () => done(answer.statusCode === 200));
      });
      request.on('error', () => done(false));
    });
  const users = Array.from({ length: count }, async () => {
    while (going) {
      if (await one()) seen.answers++;
      else seen.failed++;
      await new Promise((go) => setTimeout(go, 5));
    }
  });
  return {
    seen,
    end: async () => {
      going = false;
      await Promise.all(users);
      return seen;
    },
  };
}
