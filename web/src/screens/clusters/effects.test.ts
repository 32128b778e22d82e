// What an action will do is told before it is done: these are the promises.

import { describe, expect, it } from 'vitest';
import { readServerGroup, type ServerGroup } from '../../api/inventory';
import { actsOn, actsOnInstance, afterwards, isGuarded, rollbackOf, rowsOf, serving } from './effects';

function group(version: number, more: object = {}): ServerGroup {
  const name = `app-main-v00${version}`;
  const disabled = (more as { isDisabled?: boolean }).isDisabled === true;
  return readServerGroup({
    name, account: 'local', region: 'here', application: 'app', cluster: 'app-main', createdTime: version, loadBalancers: ['lb'], capacity: { min: 4, desired: 4, max: 4 },
    instances: [0, 1, 2, 3].map((at) => ({ id: `${name}-${at}`, health: [], healthState: disabled ? 'OutOfService' : 'Up' })), ...more,
  });
}

const [old, now] = [group(1, { isDisabled: true }), group(2)];
const cluster = [now, old];
const told = (change: Parameters<typeof afterwards>[2], name = now.name) =>
  rowsOf(cluster, afterwards(cluster, name, change)).map((row) => [row.name, row.before.share, row.after?.desired, row.after?.share]);

describe('what an action will do', () => {
  it('a rollback moves the traffic, and the size of the one that is left', () =>
    expect(told({ act: 'rollback', left: now.name, restored: old.name })).toEqual([[now.name, 100, 4, 0], [old.name, 0, 4, 100]]));

  it('an enabled group shares', () => expect(told({ act: 'enable' }, old.name)).toEqual([[now.name, 100, 4, 50], [old.name, 0, 4, 50]]));

  it('a disabled or destroyed one leaves nobody when it was alone', () => {
    expect(serving(afterwards(cluster, now.name, { act: 'disable' }))).toBe(0);
    expect(told({ act: 'destroy' })).toEqual([[now.name, 100, undefined, undefined], [old.name, 0, 4, 0]]);
  });

  it('a size grows and shrinks', () => {
    expect(serving(afterwards(cluster, now.name, { act: 'resize', capacity: { min: 6, desired: 6, max: 6 } }))).toBe(6);
    expect(serving(afterwards(cluster, now.name, { act: 'resize', capacity: { min: 0, desired: 0, max: 4 } }))).toBe(0);
  });

  it('an instance that ends is missing until another is up', () => {
    const id = now.instances[0]!.id;
    expect(serving(afterwards(cluster, now.name, { act: 'terminate', instance: id, shrink: false }))).toBe(3);
    expect(afterwards(cluster, now.name, { act: 'terminate', instance: id, shrink: true })[0]?.capacity).toEqual({ min: 3, desired: 3, max: 4 });
    expect(serving(afterwards(cluster, now.name, { act: 'deregister', instance: id }))).toBe(3);
  });
});

describe('what can be done', () => {
  it('depends on the traffic', () => {
    expect(actsOn(now, cluster)).toEqual(['disable', 'resize', 'rollback', 'destroy']);
    expect(actsOn(old, cluster)).toEqual(['enable', 'resize', 'rollback', 'destroy']);
    expect(actsOn(now, [now])).toEqual(['disable', 'resize', 'destroy']);
    expect(actsOnInstance(now, now.instances[0]!)).toEqual(['reboot', 'deregister', 'terminate']);
    expect(actsOnInstance(old, old.instances[0]!)).toEqual(['reboot', 'terminate']);
  });

  it('goes back to the next older one first', () => {
    const three = [group(1, { isDisabled: true }), group(2), group(3, { isDisabled: true })];
    expect(rollbackOf(three[1]!, three)?.choices.map((one) => one.name)).toEqual(['app-main-v001', 'app-main-v003']);
    expect(rollbackOf(three[0]!, three)?.left.name).toBe('app-main-v002');
  });
});

it('a guard watches what it names', () => {
  const guard = (stack: string, detail = '') => [{ account: 'local', location: '*', stack, detail, enabled: true }];
  expect(isGuarded(now, guard('main'))).toBe(true);
  expect(isGuarded(now, guard('*', '*'))).toBe(true);
  expect(isGuarded(now, guard('other'))).toBe(false);
  expect(isGuarded(now, guard(''))).toBe(false);
  expect(isGuarded(now, [])).toBe(false);
});
