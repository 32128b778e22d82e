import { describe, expect, it } from 'vitest';
import { readGuards, readStates } from '../../api/application';
import { changedBy, changesOf, differences, formOf, others, restoring, shown, wrongIn } from './attributes';

const shop = { name: 'shop', email: 'a@example.org', instancePort: 8080, cloudProviders: '', updateTs: '1', trafficGuards: [], dataSources: { enabled: ['x'] } };

describe('the form', () => {
  it('changes nothing while nothing is changed', () => expect(changesOf(shop, formOf(shop))).toEqual({}));

  it('sends only what changed, in its own kind', () => {
    const form = { ...formOf(shop), email: ' b@example.org ', instancePort: '9000', platformHealthOnly: true, permissions: '{"READ":["dev"]}' };
    expect(wrongIn(form)).toEqual({});
    expect(changesOf(shop, form)).toEqual({ email: 'b@example.org', instancePort: 9000, platformHealthOnly: true, permissions: { READ: ['dev'] } });
    expect(changesOf(shop, { ...formOf(shop), instancePort: '' })).toEqual({ instancePort: '' });
  });

  it.each([
    [{ email: 'nobody' }, 'email'],
    [{ email: '' }, 'email'],
    [{ instancePort: '0' }, 'instancePort'],
    [{ instancePort: '70000' }, 'instancePort'],
    [{ instancePort: '80a' }, 'instancePort'],
    [{ permissions: '{' }, 'permissions'],
    [{ permissions: '[]' }, 'permissions'],
    [{ permissions: '{"READ":"dev"}' }, 'permissions'],
    [{ permissions: '{"DANCE":["dev"]}' }, 'permissions'],
  ])('%j is wrong in %s', (part, key) => expect(Object.keys(wrongIn({ ...formOf(shop), ...part }))).toEqual([key]));
});

describe('saved states', () => {
  const states = readStates([
    { name: 'shop', email: 'b@example.org', revision: 3, updateTs: '30', lastModifiedBy: 'kim' },
    { name: 'shop', email: 'a@example.org', revision: 2, updateTs: '20', lastModifiedBy: 'lee', deleted: true },
    { name: 'shop', email: 'a@example.org', revision: 1, updateTs: '10', lastModifiedBy: 'lee' },
  ]);
  it('tell who and when', () => expect(states[0]).toMatchObject({ number: 3, at: 30, who: 'kim', deleted: false }));
  it('differ in attributes, not in what every save sets', () => {
    expect(changedBy(states, 1)).toEqual([]);
    expect(changedBy(states, 0)).toBeUndefined();
    expect(changedBy(states, 2)).toBeUndefined();
    expect(restoring(states[0]?.body, states[2]!)).toEqual([{ key: 'email', before: 'b@example.org', after: 'a@example.org' }]);
  });
  it('take nothing in its many forms for the same', () => expect(differences({ a: '', b: [], c: null }, { d: false, b: {} })).toEqual([]));
});

it('shows the rest as it is', () => {
  expect(others(shop)).toEqual({ dataSources: { enabled: ['x'] } });
  expect(shown({ a: 1 })).toBe('{"a":1}');
  expect(shown([])).toBe('');
});

it('reads guards leniently', () => {
  expect(readGuards({ trafficGuards: [{ account: 'local', location: '*', stack: 'x' }, 3] })[0]).toEqual({ account: 'local', location: '*', stack: 'x', detail: '', enabled: true });
});
