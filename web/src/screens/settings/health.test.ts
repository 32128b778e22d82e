import { expect, it } from 'vitest';
import { readAccount, readLoad } from '../../api/accounts';
import { en } from '../../texts/en';
import { diskTone, ofAccount } from './health';

const account = readAccount({ name: 'local', type: 'local', regions: [{ name: 'here', availabilityZones: ['a', 'b'] }, 'there'] });
const health = { why: undefined, ms: 3, at: 1 };

it('reads accounts leniently', () => expect(account).toMatchObject({ provider: 'local', authorized: true, regions: [{ name: 'here', zones: ['a', 'b'] }, { name: 'there', zones: [] }] }));

it('an account is well when it answers and may be used', () => {
  expect(ofAccount(account, undefined, en).tone).toBe('starting');
  expect(ofAccount(account, health, en).tone).toBe('well');
  expect(ofAccount(account, { ...health, why: 'no' }, en).tone).toBe('bad');
  expect(ofAccount({ ...account, authorized: false }, health, en).tone).toBe('notrun');
});

it('counts what runs in each account', () => {
  const results = [{ type: 'serverGroups', account: 'a' }, { type: 'instances', account: 'a' }, { type: 'instances', account: 'a' }, { type: 'loadBalancers', account: 'b' }];
  const loads = readLoad([{ results }]);
  expect(loads.get('a')).toEqual({ groups: 1, instances: 2, balancers: 0 });
  expect(loads.get('b')).toEqual({ groups: 0, instances: 0, balancers: 1 });
});

it('a full disk is told', () => expect([50, 85, 99].map(diskTone)).toEqual(['plain', 'despite', 'bad']));
