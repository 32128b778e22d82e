import { describe, expect, it } from 'vitest';
import { readServerGroup } from '../../api/inventory';
import { en as t } from '../../texts/en';
import { copyOf, creation, newGroup, problemsOfGroup } from './deploy-draft';
import { OPTIONS, optionFields, outlook } from './strategies';

const old = readServerGroup({
  name: 'hello-main-eu-west-v003', account: 'local', region: 'local', application: 'hello', cluster: 'hello-main-eu-west', moniker: { app: 'hello', sequence: 3 },
  image: '/srv/hello-1.0', capacity: { min: 1, desired: 2, max: 4 }, loadBalancers: ['hello'], securityGroups: ['hello-web'], zones: ['a'], instanceType: 'small',
  instances: [{ id: 'x', healthState: 'Up' }, { id: 'y', healthState: 'Down' }],
});
const blank = newGroup({ account: 'local', region: 'local' }, ['hello'], 'folder');

describe('a server group as it is typed', () => {
  it('needs something to run, and says it only when somebody wants to go on', () => {
    expect(problemsOfGroup(blank, 'hello', t)).toEqual({ folder: { why: t.newGroup.needsFolder, missing: true } });
    expect(problemsOfGroup({ ...blank, folder: 'srv' }, 'hello', t).folder?.missing).toBeUndefined();
    expect(problemsOfGroup({ ...blank, runs: 'image' }, 'hello', t).image?.missing).toBe(true);
  });
  it('becomes a job without what nobody said', () => {
    const { job } = creation({ ...blank, folder: '/srv/hello', desired: '4', strategy: 'none' }, 'hello', 'hello-v000', undefined, ['a', 'b']);
    expect(job).toEqual({
      type: 'createServerGroup', credentials: 'local', region: 'local', application: 'hello', image: '/srv/hello',
      capacity: { min: 4, desired: 4, max: 4 }, loadBalancers: ['hello'], strategy: 'none',
    });
  });
  it('is copied with its name, place, size and neighbours; what was taken away stays away', () => {
    const draft = copyOf(old, ['a', 'b']);
    expect(draft).toMatchObject({ stack: 'main', detail: 'eu-west', runs: 'folder', folder: '/srv/hello-1.0', spread: false, zones: ['a'], ranged: true, min: '1', max: '4', instanceType: 'small' });
    const { job } = creation({ ...draft, balancers: [], firewalls: [], spread: true }, 'hello', 'hello-main-eu-west-v004', old, ['a', 'b']);
    expect(job).toMatchObject({ type: 'cloneServerGroup', source: { serverGroupName: old.name }, loadBalancers: [], securityGroups: [], availabilityZones: { local: ['a', 'b'] } });
  });
  it('says what is wrong, field by field', () => {
    const env = [{ key: 'A', value: '1' }, { key: 'A', value: '2' }, { key: 'x y', value: '' }];
    const draft = { ...blank, folder: '/x', stack: 'a-b', desired: '5', ranged: true, min: '1', max: '4', strategy: 'canary' as const, traffic: false, env };
    expect(Object.keys(problemsOfGroup(draft, 'hello', t)).sort()).toEqual(['env1', 'env2', 'max', 'stack', 'strategy']);
    expect(problemsOfGroup({ ...draft, strategy: 'rollingredblack', options: { ...OPTIONS, shares: '50, 20' } }, 'hello', t).shares).toBeDefined();
  });
});

describe('what a strategy does', () => {
  const said = (strategy: Parameters<typeof outlook>[0], options = OPTIONS, older = [old]) => outlook(strategy, options, 'n', older, t);
  it('names what is destroyed, with counts', () => {
    expect(said('highlander')).toMatchObject({ destroys: true });
    expect(said('highlander').lines[0]).toContain('hello-main-eu-west-v003 (2 instances)');
    expect(said('redblack')).toMatchObject({ destroys: false });
    expect(said('redblack', { ...OPTIONS, remaining: '1' }, [old, { ...old, name: 'older', disabled: true }])).toMatchObject({ destroys: true });
  });
  it('says that the first has nothing to replace', () => expect(said('redblack', OPTIONS, []).lines).toEqual([t.newGroup.first]));
  it('sends only its own options', () => {
    expect(optionFields('rollingredblack', OPTIONS)).toEqual({ targetPercentages: [25, 50], rollback: { onFailure: true } });
    expect(optionFields('none', OPTIONS)).toEqual({});
    expect(optionFields('rolling', { ...OPTIONS, endFirst: true, rollback: false })).toEqual({ batchSize: 1, maxSurge: 0 });
    expect(optionFields('canary', OPTIONS)).toEqual({ canary: { instances: 1, lifetimeMinutes: 10, minimumRequests: 100 } });
  });
});
