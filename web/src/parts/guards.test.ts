import { expect, it } from 'vitest';
import type { Guard } from '../api/application';
import { readServerGroup } from '../api/inventory';
import { guarded, keyOf, partsOf } from './guards';

const group = (cluster: string) => readServerGroup({ name: `${cluster}-v000`, cluster, account: 'local', region: 'here' });
const guard = (more: Partial<Guard>): Guard => ({ account: 'local', location: '*', stack: '', detail: '', enabled: true, ...more });
const all = [group('shop'), group('shop'), group('shop-prod'), group('shop-prod-a-b'), group('shop--b')];

it.each([
  [{}, ['local/here shop']],
  [{ stack: '*' }, ['local/here shop', 'local/here shop-prod']],
  [{ stack: 'PROD', detail: 'a-b' }, ['local/here shop-prod-a-b']],
  [{ detail: '*' }, ['local/here shop', 'local/here shop--b']],
  [{ account: 'other', stack: '*', detail: '*' }, []],
  [{ location: 'there' }, []],
  [{ enabled: false }, []],
])('%j guards %j', (more, expected) => expect(guarded(guard(more), all)).toEqual(expected));

it('names parts and keys', () => {
  expect(partsOf('shop--b')).toEqual({ stack: '', detail: 'b' });
  expect(keyOf(guard({ stack: 'x' }))).toBe('local/*/x/');
});
