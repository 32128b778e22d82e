// The same thing as a job and as a command.

import { describe, expect, it } from 'vitest';
import { readServerGroup } from '../../api/inventory';
import { isMeant, type Named } from '../../api/named';
import { readHeldBack } from '../../api/held';
import { readCapacity } from './action-fields';
import { meaning, readClustersSearch, type ClustersSearch } from './address';
import { isHeld, shortRelease } from './held-back';
import { commandOf, jobOf } from './jobs';

const group = readServerGroup({ name: 'app-v002', account: 'local', region: 'here', application: 'app', cluster: 'app', loadBalancers: ['lb'], image: '/images/app-2.0', capacity: { min: 2, desired: 4, max: 4 } });
const at = 'http://here';
const where = ' --account local --region here --server http://here';

describe('an action', () => {
  it('on a group', () => {
    expect(jobOf(group, { act: 'disable' }, '')).toEqual({ type: 'disableServerGroup', credentials: 'local', region: 'here', cluster: 'app', serverGroupName: 'app-v002' });
    expect(commandOf(at, group, { act: 'disable' }, '')).toBe(`gennaker server-group disable app-v002${where}`);
  });

  it('that resizes says its bounds only where they differ', () => {
    const command = (min: number, max: number) => commandOf(at, group, { act: 'resize', capacity: { min, desired: 3, max } }, '');
    expect(command(3, 3)).toBe(`gennaker server-group resize app-v002 3${where}`);
    expect(command(1, 5)).toBe(`gennaker server-group resize app-v002 3 --min 1 --max 5${where}`);
  });

  it('that rolls back names both groups and why', () => {
    const change = { act: 'rollback', left: 'app-v002', restored: 'app-v001' } as const;
    expect(jobOf(group, change, "it's slow")).toMatchObject({ type: 'rollbackServerGroup', rollbackType: 'EXPLICIT', rollbackContext: { rollbackServerGroupName: 'app-v002', restoreServerGroupName: 'app-v001' }, reason: "it's slow" });
    expect(commandOf(at, group, change, "it's slow")).toContain(`--to app-v001 -m 'it'\\''s slow'`);
  });

  it('on an instance', () => {
    expect(jobOf(group, { act: 'terminate', instance: 'i', shrink: true }, '')).toMatchObject({ type: 'terminateInstanceAndDecrementServerGroup', instanceIds: ['i'] });
    expect(jobOf(group, { act: 'register', instance: 'i' }, '')).toMatchObject({ loadBalancerNames: ['lb'] });
    expect(commandOf(at, group, { act: 'reboot', instance: 'i' }, '')).toBe(`gennaker task run rebootInstances -a app credentials=local region=here serverGroupName=app-v002 'instanceIds=["i"]' --server http://here`);
  });
});

it('a size is whole and between its bounds', () => {
  const read = (desired: string, min = '', max = '') => readCapacity({ desired, min, max }, group.capacity);
  expect(read('6')).toEqual({ min: 2, desired: 6, max: 6 });
  expect(read('1')).toEqual({ min: 1, desired: 1, max: 1 });
  expect(read('3', '0', '9')).toEqual({ min: 0, desired: 3, max: 9 });
  for (const wrong of [read(''), read('1.5'), read('-1'), read('3', '4'), read('3', '', '2')]) expect(wrong).toBeUndefined();
});

it('an address means one group, also where accounts have groups of one name; a link may leave the account out', () => {
  const prod = { ...group, account: 'prod' };
  const means = ({ group: name, account, region }: ClustersSearch, one: Named) => isMeant({ name, account, region }, one);
  expect([means(meaning(prod), prod), means(meaning(prod), group)]).toEqual([true, false]);
  expect([means({ group: 'app-v002' }, prod), means({ group: 'app-v001' }, group)]).toEqual([true, false]);
});

it('a release that is held back is found by its image', () => {
  const held = (image: string, account = 'local') => readHeldBack({ account, cluster: 'App', release: image, image });
  expect(isHeld(group, held('/images/app-2.0'))).toBe(true);
  expect(isHeld(group, held('/images/app-1.0'))).toBe(false);
  expect(isHeld(group, held('/images/app-2.0', 'prod'))).toBe(false);
  expect([shortRelease('/images/app-2.0'), shortRelease('app-2.0')]).toEqual(['app-2.0', 'app-2.0']);
});

it('an address holds what it may, and nothing else', () =>
  expect(readClustersSearch({ group: 'g', act: 'explode', view: 'log', task: 7, other: 1 })).toEqual({ group: 'g', view: 'log', task: '7' }));
