// Readers of the API's records: the least fields are enough, odd ones break nothing.

import { describe, expect, it } from 'vitest';
import { inOrder, readPipeline } from './config';
import { errorsOf, innerStages, progress, readExecution, topStages, waitingOf } from './execution';
import { clustersOf, readBalancer, readInstance, readServerGroup, trafficShares } from './inventory';

describe('an execution', () => {
  const run = readExecution({
    id: 'R',
    status: 'RUNNING',
    stages: [
      { id: 'child', refId: '1<1', type: 'createServerGroup', status: 'RUNNING', parentStageId: 'top', syntheticStageOwner: 'STAGE_BEFORE', context: {}, tasks: [{ id: '1', status: 'SUCCEEDED' }, { id: '2', status: 'RUNNING', waiting: { reason: '3 of 4 up', since: 5 } }] },
      { id: 'grandchild', refId: '1<1>1', type: 'disableCluster', status: 'NOT_STARTED', parentStageId: 'child', context: {} },
      { id: 'top', refId: '1', type: 'deploy', status: 'RUNNING', context: {} },
    ],
  });

  it('folds synthetic stages into their top stage', () => {
    expect(topStages(run).map((stage) => stage.id)).toEqual(['top']);
    expect(innerStages(run, topStages(run)[0]!).map((stage) => stage.id)).toEqual(['child', 'grandchild']);
  });

  it('knows what a stage waits for, from the tasks inside it', () => {
    expect(waitingOf(run, topStages(run)[0]!)?.reason).toBe('3 of 4 up');
    expect(progress(run, topStages(run)[0]!)).toBe(0.5);
  });

  it('says what a precondition gave that did not hold', () => {
    const checked = (context: object, status = 'TERMINAL') => errorsOf(readExecution({ stages: [{ status, context: { context } }] }).stages[0]!);
    expect(checked({ expression: 'size > 2', expressionResult: false })).toEqual(['size > 2 → false']);
    expect(checked({ expression: 'size > 2', expressionResult: false, failureMessage: 'Too small.' })).toEqual(['Too small.']);
    expect(checked({ expression: 'size > 2', expressionResult: true }, 'SUCCEEDED')).toEqual([]);
  });

  it('is read from nothing at all', () => expect(readExecution(null)).toMatchObject({ id: '', status: 'NOT_STARTED', stages: [] }));
});

describe('a pipeline', () => {
  it('without references runs its stages one after the other', () => {
    const pipeline = readPipeline({ name: 'p', stages: [{ type: 'wait' }, { type: 'bake' }] });
    expect(pipeline.stages.map((stage) => [stage.refId, stage.requisites])).toEqual([
      ['0', []],
      ['1', ['0']],
    ]);
  });

  it('is told in the order in which it runs, a cycle last', () => {
    const pipeline = readPipeline({
      stages: [
        { refId: 'b', type: 'b', requisiteStageRefIds: ['a'] },
        { refId: 'x', type: 'x', requisiteStageRefIds: ['y'] },
        { refId: 'y', type: 'y', requisiteStageRefIds: ['x'] },
        { refId: 'a', type: 'a' },
      ],
    });
    expect(inOrder(pipeline.stages).map((stage) => stage.refId)).toEqual(['a', 'b', 'x', 'y']);
  });
});

describe('server groups', () => {
  const group = (name: string, createdTime: number, up: number, more: object = {}) =>
    readServerGroup({ name, account: 'local', cluster: 'app', createdTime, loadBalancers: ['lb'], instances: Array.from({ length: up }, (_, at) => ({ id: `${name}-${at}`, health: [], healthState: 'Up' })), ...more });

  it('stand by cluster, the newest first', () => {
    const clusters = clustersOf([group('app-v000', 1, 1), group('app-v001', 2, 1), group('app-v000', 1, 1, { account: 'a', cluster: 'app' })]);
    expect(clusters.map((cluster) => [cluster.account, cluster.groups.map((one) => one.name)])).toEqual([
      ['a', ['app-v000']],
      ['local', ['app-v001', 'app-v000']],
    ]);
  });

  it('share the traffic by their healthy instances, to exactly 100', () => {
    expect([...trafficShares([group('v2', 3, 1), group('v1', 2, 1), group('v0', 1, 1)]).values()].reduce((a, b) => a + b, 0)).toBe(100);
    expect(Object.fromEntries(trafficShares([group('v1', 2, 1), group('v0', 1, 3)]))).toEqual({ v1: 25, v0: 75 });
    expect(Object.fromEntries(trafficShares([group('v1', 2, 4), group('v0', 1, 4, { isDisabled: true })]))).toEqual({ v1: 100, v0: 0 });
    expect(Object.fromEntries(trafficShares([group('v1', 2, 0)]))).toEqual({ v1: 0 });
  });

  it('have instances that say why', () => {
    const instance = readInstance({ id: 'i', healthState: 'Down', health: [{ type: 'Local', state: 'Up', description: 'runs' }, { type: 'LoadBalancer', state: 'Down', description: 'got 500' }] });
    expect(instance).toMatchObject({ state: 'Down', why: 'got 500' });
  });
});

describe('a load balancer', () => {
  it('says where it answers and how it checks', () => {
    const balancer = readBalancer({ name: 'lb', listeners: [{ protocol: 'TCP', port: 8080, address: '127.0.0.1:18080' }], healthCheck: { healthCheckType: 'HTTP', port: '8080', requestPath: '/', checkIntervalSec: 2 } });
    expect(balancer.listeners).toEqual([{ address: '127.0.0.1:18080', protocol: 'TCP' }]);
    expect(balancer.check).toMatchObject({ what: 'HTTP :8080 /', interval: 2 });
  });
  it('is read with an address and a port range', () => expect(readBalancer({ name: 'lb', ipAddress: '10.0.0.1', portRange: '80' }).listeners[0]?.address).toBe('10.0.0.1:80'));
});
