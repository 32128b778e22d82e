import { describe, expect, it } from 'vitest';
import { firewallsOf, readFirewall } from '../../api/choices';
import { readServerGroup } from '../../api/inventory';
import { en as t } from '../../texts/en';
import { allBehind, draftOf, problemsOfFirewall, upsert } from './draft';

const told = {
  name: 'hello-web', accountName: 'local', region: 'local', application: 'hello', description: 'only here',
  inboundRules: [
    { protocol: 'tcp', portRanges: [{ startPort: 80, endPort: 90 }], range: { ip: '10.0.0.0', cidr: '/8' } },
    { protocol: 'tcp', portRanges: [{ startPort: 1, endPort: 65535 }], range: { ip: '::1', cidr: '' } },
    { protocol: 'tcp', portRanges: [{ startPort: 1, endPort: 65535 }], range: { ip: '::1', cidr: '' } },
  ],
};

describe('a firewall', () => {
  const draft = draftOf(readFirewall(told));
  it('is found by its application in the list of all', () => {
    const all = { local: { local: { eu: [{ name: 'hello-web', application: 'hello' }, { name: 'shop', application: 'shop' }] } } };
    expect(firewallsOf(all, 'hello')).toEqual([{ account: 'local', region: 'eu', name: 'hello-web' }]);
  });
  it('is read with each rule once', () =>
    expect(draft.rules).toEqual([{ protocol: 'tcp', ports: '80-90', from: '10.0.0.0/8' }, { protocol: 'tcp', ports: '', from: '::1' }]));
  it('is for both where the same holds for TCP and for UDP', () => {
    const [first] = told.inboundRules;
    expect(draftOf(readFirewall({ ...told, inboundRules: [first, { ...first, protocol: 'UDP' }] })).rules).toEqual([{ protocol: 'all', ports: '80-90', from: '10.0.0.0/8' }]);
  });
  it('knows what is behind it, in its own account and region', () => {
    const group = (name: string, account: string, securityGroups: string[]) => readServerGroup({ name, account, region: 'local', securityGroups });
    const behind = allBehind([], [group('a', 'local', ['hello-web', 'hello-web']), group('b', 'local', ['other']), group('c', 'far', ['hello-web'])]);
    expect(behind(draft)).toEqual([{ name: 'a', kind: 'group' }]);
    expect(behind({ ...draft, name: 'none' })).toEqual([]);
  });
  it('becomes a job', () =>
    expect(upsert(draft, 'hello', 'x').job).toEqual({
      type: 'upsertSecurityGroup', credentials: 'local', region: 'local', securityGroupName: 'hello-web', description: 'only here',
      ipIngress: [{ type: 'tcp', cidr: '10.0.0.0/8', startPort: 80, endPort: 90 }, { type: 'tcp', cidr: '::1' }],
    }));
  it('says what is wrong, rule by rule', () => {
    const rule = { protocol: 'tcp' as const, ports: '', from: '10.0.0.0/8' };
    const found = problemsOfFirewall({ ...draft, name: 'web', rules: [rule, { ...rule, ports: '90-80' }, { ...rule, from: '' }, { ...rule, from: 'x', ports: 'http' }] }, 'hello', [], t);
    expect(Object.keys(found).sort()).toEqual(['from2', 'from3', 'name', 'ports1', 'ports3']);
    expect(found.from2?.missing).toBe(true);
  });
});
