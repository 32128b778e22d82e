import { describe, expect, it } from 'vitest';
import { en as t } from '../../texts/en';
import { draftOf, newBalancer, problemsOfBalancer, upsert } from './draft';

describe('a load balancer as it is typed', () => {
  const blank = newBalancer('hello', 'local', 'local');
  it('is fine as it comes', () => expect(problemsOfBalancer(blank, 'hello', [], t)).toEqual({}));
  it('becomes a job with a free port where none is given', () => {
    const { job } = upsert({ ...blank, listeners: [{ protocol: 'UDP', port: '', certificates: [] }] }, 'hello', 'x');
    expect(job).toMatchObject({ type: 'upsertLoadBalancer', credentials: 'local', region: 'local', loadBalancerName: 'hello' });
    expect(job.listeners).toEqual([{ externalProtocol: 'UDP', externalPort: 'auto' }]);
    expect(job.healthCheck).toMatchObject({ healthCheckType: 'HTTP', requestPath: '/', port: 0, checkIntervalSec: 2 });
    expect(upsert({ ...blank, check: 'none' }, 'hello', 'x').job.healthCheck).toBeUndefined();
  });
  it('comes back as the server tells it', () => {
    const told = {
      name: 'hello-web', account: 'local', region: 'eu',
      listeners: [{ protocol: 'HTTP', port: 0, certificates: [] }, { protocol: 'HTTP', port: 443, certificates: ['shop'] }],
      healthCheck: { healthCheckType: 'TCP', port: 0, requestPath: '', checkIntervalSec: 0.5, timeoutSec: 1, healthyThreshold: 1, unhealthyThreshold: 3 },
      securityGroups: ['hello'], sessionAffinity: 'GENERATED_COOKIE', affinityCookieName: 'shop', dnsName: 'x',
    };
    const draft = draftOf(told);
    expect(draft.listeners).toEqual([{ protocol: 'HTTP', port: '', certificates: [] }, { protocol: 'HTTPS', port: '443', certificates: ['shop'] }]);
    expect(draft).toMatchObject({ name: 'hello-web', region: 'eu', check: 'TCP', interval: '0.5', unhealthy: '3', firewalls: ['hello'] });
    expect(draft.treatment).toEqual({ sessionAffinity: 'GENERATED_COOKIE', affinityCookieName: 'shop' });
    expect(upsert(draft, 'hello', 'x').job).toMatchObject({ sessionAffinity: 'GENERATED_COOKIE', affinityCookieName: 'shop' });
    expect(draftOf({ name: 'hello' }).check).toBe('none');
  });
  it('says what is wrong, field by field', () => {
    const twice = { protocol: 'TCP' as const, port: '80', certificates: [] };
    const found = problemsOfBalancer({ ...blank, name: 'hello', path: 'x y', interval: '0', listeners: [twice, { ...twice, protocol: 'UDP' }, twice] }, 'hello', ['hello'], t);
    expect(Object.keys(found).sort()).toEqual(['interval', 'name', 'path', 'port2']);
    const secure = problemsOfBalancer({ ...blank, listeners: [{ protocol: 'TLS', port: '70000', certificates: [] }] }, 'hello', [], t);
    expect(Object.keys(secure).sort()).toEqual(['certificate0', 'port0']);
  });
});
