// Serves the built page with a made-up world behind it: `npm run build && npm run dev`. Not part of the product.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { around } from './around.mjs';
import { finish, play } from './play.mjs';
import { makeWorld, newRun } from './world.mjs';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

export function serve(port, world = makeWorld()) {
  const server = createServer((request, response) => {
    handle(world, request, response).catch((error) => send(response, 500, { message: String(error) }));
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve({ server, world, base: `http://127.0.0.1:${server.address().port}` })));
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

async function bodyOf(request) {
  let text = '';
  for await (const part of request) text += part;
  return text === '' ? {} : JSON.parse(text);
}

async function page(response, path) {
  const file = normalize(path.replace(/^\/ui\/?/, '/'));
  let wanted = file === '/' ? '/index.html' : file;
  let body = await readFile(join(DIST, wanted)).catch(() => undefined);
  if (body === undefined && !wanted.startsWith('/assets/')) {
    wanted = '/index.html';
    body = await readFile(join(DIST, wanted));
  }
  if (body === undefined) return send(response, 404, {});
  response.writeHead(200, { 'content-type': TYPES[extname(wanted)] ?? 'application/octet-stream', 'content-security-policy': CSP, 'x-content-type-options': 'nosniff' });
  response.end(body);
}

function live(world, request, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(`event: hello\nid: ${world.seq}\ndata: {}\n\n`);
  const tell = (seq, topic, key) => response.write(`event: change\nid: ${seq}\ndata: ${JSON.stringify({ topic, key })}\n\n`);
  world.listeners.add(tell);
  request.on('close', () => world.listeners.delete(tell));
}

const routes = [
  ['GET', /^\/applications$/, () => [{ name: 'hellospinnaker', email: 'terry@example.org', cloudProviders: 'local', accounts: 'local', updateTs: Date.now() - 7200000 }]],
  ['GET', /^\/applications\/[^/]+\/serverGroups$/, (world) => world.groups],
  ['GET', /^\/applications\/[^/]+\/heldBack$/, () => []],
  ['GET', /^\/applications\/[^/]+\/loadBalancers$/, (world) => balancers(world)],
  ['GET', /^\/applications\/[^/]+\/pipelineConfigs$/, (world) => world.pipelines],
  ['GET', /^\/executions$/, (world) => world.runs],
  ['GET', /^\/applications\/[^/]+\/tasks$/, (world) => world.tasks],
  ['GET', /^\/pipelines\/([^/]+)$/, (world, [id]) => world.runs.find((run) => run.id === id)],
  ['POST', /^\/pipelines\/([^/]+)\/([^/]+)$/, start],
  ['PATCH', /^\/pipelines\/([^/]+)\/stages\/([^/]+)$/, judge],
  ['PUT', /^\/pipelines\/([^/]+)\/cancel$/, cancel],
  ['GET', /^\/loadBalancers\/[^/]+\/[^/]+\/([^/]+)$/, (world, [name]) => balancers(world).filter((one) => one.name === name)],
  ['GET', /^\/credentials$/, () => [{ name: 'local', cloudProvider: 'local', regions: [{ name: 'local', availabilityZones: ['local-a', 'local-b'] }] }]],
  ['GET', /^\/images\/find$/, (world) => world.images],
  ['GET', /^\/(instanceTypes|certificates)$/, () => []],
  ['GET', /^\/securityGroups$/, (world) => ({ local: { local: { local: world.firewalls } } })],
  ['GET', /^\/securityGroups\/[^/]+\/[^/]+\/([^/]+)$/, (world, [name]) => world.firewalls.find((one) => one.name === name)],
  ['GET', /^\/ui-api\/home$/, home],
  ['GET', /^\/ui-api\/executions\/([^/]+)\/stages\/([^/]+)\/log$/, (world, [, stage]) => ({ lines: (world.logs.get(stage) ?? []).map((text, seq) => ({ seq, text })) })],
  ['GET', /^\/ui-api\/repositories$/, () => repositories],
  ...around,
];

async function handle(world, request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/' || pathname === '/ui') return response.writeHead(302, { location: '/ui/' }).end();
  if (pathname.startsWith('/ui/')) return page(response, pathname);
  if (pathname === '/ui-api/live') return live(world, request, response);
  for (const [method, pattern, answer] of routes) {
    const found = pattern.exec(pathname);
    if (request.method !== method || found === null) continue;
    const parts = found.slice(1).map(decodeURIComponent);
    const result = await answer(world, parts, method === 'GET' ? undefined : await bodyOf(request));
    return result === undefined ? send(response, 404, { message: 'not found' }) : send(response, result.ref === undefined ? 200 : 202, result);
  }
  send(response, 404, { message: `no route ${pathname}` });
}

function start(world, _parts, body) {
  const run = newRun(`01RUN${String(world.runs.length).padStart(3, '0')}`, { type: 'manual', ...body });
  world.runs.unshift(run);
  world.change('execution', run.id);
  setTimeout(() => play(world, run), 200);
  return { ref: `/pipelines/${run.id}` };
}

function judge(world, [id, stageId], body) {
  const run = world.runs.find((one) => one.id === id);
  const stage = run?.stages.find((one) => one.id === stageId);
  if (stage === undefined) return undefined;
  Object.assign(stage.context, body, { lastModifiedBy: 'terry' });
  setTimeout(() => finish(world, run, stage), 200);
  return run;
}

function cancel(world, [id]) {
  const run = world.runs.find((one) => one.id === id);
  Object.assign(run, { status: 'CANCELED', canceled: true, canceledBy: 'terry', endTime: Date.now() });
  world.change('execution', id);
  return run;
}

function home(world) {
  return { running: world.runs.filter((run) => run.status === 'RUNNING'), broken: world.runs.filter((run) => run.status === 'TERMINAL'), applications: 1 };
}

function balancers(world) {
  return [
    {
      name: 'hellospinnaker',
      account: 'local',
      region: 'local',
      loadBalancerType: 'NETWORK',
      listeners: [{ protocol: 'TCP', port: 8080, address: '127.0.0.1:8080' }],
      healthCheck: { healthCheckType: 'HTTP', port: 8080, requestPath: '/', checkIntervalSec: 2, timeoutSec: 1, healthyThreshold: 2, unhealthyThreshold: 3 },
      serverGroups: world.groups.map((group) => ({ name: group.name, isDisabled: group.isDisabled, instances: group.instances })),
    },
  ];
}

const repositories = {
  repositories: [
    {
      name: 'terry-repo',
      distribution: 'stretch',
      component: 'main',
      packages: ['1.0', '2.0', '3.0'].map((version) => ({ name: 'helloterry', version, architecture: 'all', description: 'A small web server that says which version it is' })),
    },
  ],
  publications: [{ prefix: '.', distribution: 'stretch', components: ['main'], architectures: ['amd64'], sources: ['terry-repo'], signed: false, line: 'deb [trusted=yes] http://localhost:9090/ stretch main' }],
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { base } = await serve(Number(process.env.PORT ?? 0));
  console.log(`${base}/ui/`);
}
