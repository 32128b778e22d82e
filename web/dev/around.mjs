// The answers of the made-up world for what surrounds the application's own screens: Config, projects, accounts, search, activity.

const past = () => String(Date.now() - 3600000);

/** The attributes of the application; a world may bring its own. */
const attributes = (world) => ({ name: 'hellospinnaker', email: 'terry@example.org', description: 'Says hello', createTs: past(), updateTs: past(), lastModifiedBy: 'terry', trafficGuards: [{ account: 'local', location: '*', stack: '*', detail: '*' }], ...world.attributes });

const project = (world) => ({ id: '1', name: 'Greetings', email: 'terry@example.org', updateTs: Date.now(), config: { applications: ['hellospinnaker'], clusters: [{ account: 'local', stack: '*', detail: '*', applications: [] }], pipelineConfigs: world.pipelines.map((one) => ({ application: 'hellospinnaker', pipelineConfigId: one.id })) }, ...world.project });

const account = (world) => ({ name: 'local', type: 'local', cloudProvider: 'local', environment: 'local', authorized: true, regions: [{ name: 'local', availabilityZones: ['local-a', 'local-b'] }], ...world.account });

const counts = { total: 8, up: 7, down: 1, starting: 0, outOfService: 0, unknown: 0 };

const user = { username: 'terry', roles: ['admin'], allowedAccounts: ['local'], isAdmin: true };

function clusters(world) {
  const { name } = attributes(world);
  return [{ account: account(world).name, stack: '*', detail: '*', instanceCounts: counts, applications: [{ application: name, lastPush: Date.now(), clusters: [{ region: 'local', lastPush: Date.now(), instanceCounts: counts, builds: world.groups.map((group) => ({ images: [group.image] })) }] }] }];
}

function search(world) {
  const results = [
    { type: 'applications', name: attributes(world).name, application: attributes(world).name },
    ...world.pipelines.map((one) => ({ type: 'pipelines', name: one.name, application: 'hellospinnaker', id: one.id })),
    ...world.groups.map((one) => ({ type: 'serverGroups', serverGroup: one.name, account: one.account, region: one.region, application: 'hellospinnaker' })),
  ];
  return [{ pageNumber: 1, pageSize: 500, totalMatches: results.length, results }];
}

export const around = [
  ['GET', /^\/ui-api\/settings$/, () => ({ zone: 'Asia/Seoul' })],
  ['GET', /^\/ui-api\/tokens$/, () => []],
  ['GET', /^\/applications\/[^/]+$/, (world) => ({ name: attributes(world).name, attributes: attributes(world) })],
  ['GET', /^\/applications\/[^/]+\/history$/, (world) => [2, 1].map((revision) => ({ ...attributes(world), description: `state ${revision}`, revision }))],
  ['GET', /^\/applications\/[^/]+\/executions\/search$/, (world) => world.runs],
  ['GET', /^\/notifications\/application\/[^/]+$/, (world) => ({ application: 'hellospinnaker', email: [{ address: attributes(world).email, when: ['pipeline.failed'] }] })],
  ['GET', /^\/ui-api\/notifiers$/, () => ({ kinds: ['email', 'webhook'] })],
  ['GET', /^\/ui-api\/executions\/[^/]+\/notifications$/, (world) => world.told ?? []],
  ['GET', /^\/ui-api\/activity$/, (world) => ({ happenings: world.happenings ?? [] })],
  ['GET', /^\/projects$/, (world) => [project(world)]],
  ['GET', /^\/projects\/[^/]+$/, project],
  ['GET', /^\/projects\/[^/]+\/clusters$/, clusters],
  ['GET', /^\/projects\/[^/]+\/pipelines$/, (world) => world.runs],
  ['GET', /^\/pipelineConfigs$/, (world) => world.pipelines.map((one) => ({ id: one.id, name: one.name, application: 'hellospinnaker', updateTs: past(), lastModifiedBy: 'terry' }))],
  ['GET', /^\/credentials$/, (world) => [account(world)]],
  ['GET', /^\/securityGroups\/[^/]+$/, () => ({})],
  ['GET', /^\/instanceTypes$/, () => []],
  ['GET', /^\/search$/, search],
  ['GET', /^\/auth\/user$/, (world) => ({ ...user, ...world.user })],
  ['GET', /^\/version$/, () => ({ version: '0.1.0' })],
  ['GET', /^\/health$/, () => ({ status: 'UP' })],
  ['GET', /^\/api\/version$/, () => ({ Version: '1.6.3' })],
  ['GET', /^\/api\/storage$/, () => ({ Total: 258019, Free: 61168, PercentFull: 76.3 })],
  ['GET', /^\/ui-api\/operations$/, (world) => ({ operations: world.operations ?? [] })],
];
