// A small made-up world in the shapes of the API, for looking at the page without a server: one application, two versions, a run that
// moves on with time. Not part of the product.

import { pipeline } from './pipeline.mjs';

const now = () => Date.now();
const ago = (seconds) => now() - seconds * 1000;

function instance(group, n, state, why) {
  return {
    id: `${group}-${n}`,
    name: `${group}-${n}`,
    healthState: state,
    zone: n % 2 === 0 ? 'local-b' : 'local-a',
    launchTime: ago(3600 - n),
    privateIpAddress: `127.0.0.1:${41000 + n}`,
    health: [{ type: 'LoadBalancer', state, description: why }],
  };
}

export function serverGroup(name, options) {
  const { up, down = 0, disabled = false, version, created } = options;
  const bad = 'The check asked GET / on 127.0.0.1:41003 and got 500 Internal Server Error, 4 times in a row; the process listens on 41003.';
  const good = 'The check asked GET / and got 200 within 4 ms.';
  const instances = Array.from({ length: up + down }, (_, n) => instance(name, n, n < up ? 'Up' : 'Down', n < up ? good : bad));
  return {
    name,
    account: 'local',
    region: 'local',
    cloudProvider: 'local',
    cluster: 'hellospinnaker',
    application: 'hellospinnaker',
    moniker: { app: 'hellospinnaker', cluster: 'hellospinnaker', sequence: Number(name.slice(-3)) },
    isDisabled: disabled,
    createdTime: created,
    capacity: { min: 4, desired: 4, max: 4 },
    buildInfo: { package: 'helloterry', version },
    image: `helloterry-${version}@sha256:4be1f09d2c7a55e0b1c8d7a6f5e4d3c2b1a0998877665544332211ffeeddccbb`,
    previewAddress: `127.0.0.1:${42000 + Number(name.slice(-3))}`,
    loadBalancers: ['hellospinnaker'],
    instances,
  };
}

export function makeWorld() {
  const world = {
    listeners: new Set(),
    seq: 0,
    groups: [
      serverGroup('hellospinnaker-v001', { up: 3, down: 1, version: '2.0', created: ago(240) }),
      serverGroup('hellospinnaker-v000', { up: 4, disabled: true, version: '1.0', created: ago(5400) }),
    ],
    runs: [],
    logs: new Map(),
    pipelines: [pipeline],
    firewalls: [firewall('hellospinnaker-web', 'From the office', ['192.0.2.0/24', '2001:db8::/32'])],
    images: [{ imageName: 'helloterry-all', imageId: 'sha256:4be1f09d2c7a', account: 'local', regions: ['local'], creationDate: ago(3600), tags: { appversion: 'helloterry-2.0' } }],
    tasks: [
      task('01TASK1', 'Create Application: hellospinnaker', 'createApplication', 7200),
      task('01TASK2', 'Create Load Balancer: hellospinnaker', 'upsertLoadBalancer', 7100),
    ],
  };
  world.runs.push(pastRun('01RUN000', 5000, 'SUCCEEDED', '1.0'), pastRun('01RUN001', 900, 'TERMINAL', '3.0'));
  world.change = (topic, key) => {
    world.seq += 1;
    for (const tell of world.listeners) tell(world.seq, topic, key);
  };
  return world;
}

export function firewall(name, description, networks) {
  const rule = (network) => ({ class: 'ipRange', protocol: 'tcp', portRanges: [{ startPort: 8080, endPort: 8080 }], range: { ip: network.split('/')[0], cidr: `/${network.split('/')[1]}` } });
  return { name, id: name, description, application: 'hellospinnaker', accountName: 'local', region: 'local', inboundRules: networks.map(rule), outboundRules: [] };
}

function task(id, name, type, seconds) {
  const times = { startTime: ago(seconds), endTime: ago(seconds - 1), status: 'SUCCEEDED' };
  const stage = { id: `${id}S`, refId: '0', type, name: type, ...times, context: { type }, outputs: {}, tasks: [{ id: '1', name: type, ...times }], requisiteStageRefIds: [] };
  return { id, name, application: 'hellospinnaker', buildTime: times.startTime, ...times, execution: { id, stages: [stage], trigger: {}, ...times }, steps: stage.tasks, variables: [] };
}

export function newRun(id, trigger) {
  return {
    id,
    type: 'PIPELINE',
    application: 'hellospinnaker',
    name: pipeline.name,
    pipelineConfigId: pipeline.id,
    status: 'RUNNING',
    buildTime: now(),
    startTime: now(),
    trigger: { user: '[anonymous]', resolvedExpectedArtifacts: [], ...trigger },
    authentication: {},
    stages: pipeline.stages.map((stage) => ({
      id: `${id}-${stage.refId}`,
      refId: stage.refId,
      type: stage.type,
      name: stage.name,
      status: 'NOT_STARTED',
      context: { ...stage },
      outputs: {},
      tasks: [],
      requisiteStageRefIds: stage.requisiteStageRefIds,
    })),
  };
}

function pastRun(id, seconds, status, version) {
  const run = newRun(id, { type: 'apt', package: 'helloterry', version });
  run.buildTime = run.startTime = ago(seconds);
  run.endTime = ago(seconds - 260);
  run.status = status;
  run.stages.forEach((stage, at) => {
    const failed = status === 'TERMINAL' && at === 3;
    stage.status = status === 'TERMINAL' && at > 3 ? 'NOT_STARTED' : failed ? 'TERMINAL' : stage.stageEnabled ? 'SKIPPED' : 'SUCCEEDED';
    if (stage.status === 'NOT_STARTED') return;
    stage.startTime = ago(seconds - at * 20);
    stage.endTime = ago(seconds - at * 20 - 17);
    stage.tasks = [{ id: '1', name: stage.type, status: stage.status, startTime: stage.startTime, endTime: stage.endTime }];
    if (failed) stage.context.exception = { details: { errors: ['GET http://127.0.0.1:42002/ answered 500, and 200 was asked for.'] } };
  });
  return run;
}
