import { describe, expect, it } from 'vitest';
import { en as t } from '../texts/en';
import { needed, network, numeric, ownedName, plainName, problemsOf } from './problems';

describe('what is wrong with what was typed', () => {
  it('a name says which sign is wrong and what may be', () => {
    expect(plainName('stack', 'a-b', false, t)?.why).toBe(`stack "a-b": '-' is not allowed; use letters, digits, '.' and '_'`);
    expect(plainName('detail', 'a-b', true, t)).toBeUndefined();
    expect(plainName('stack', '결제', false, t)?.why).toContain('결');
    expect(plainName('detail', '-x', true, t)?.why).toContain('begin with a letter or a digit');
  });
  it('what belongs to an application begins with its name', () => {
    expect(ownedName('load balancer', 'hello', 'hello', t)).toBeUndefined();
    expect(ownedName('load balancer', 'hello', 'hello-web', t)).toBeUndefined();
    expect(ownedName('load balancer', 'hello', 'helloworld', t)?.why).toContain('hello-');
    expect(ownedName('load balancer', 'hello', '', t)?.missing).toBe(true);
  });
  it('a number has its bounds', () => {
    expect(numeric('4', { min: 0, whole: true }, t)).toBeUndefined();
    expect(numeric('0.5', { min: 0 }, t)).toBeUndefined();
    for (const bad of ['-1', '1e3', 'x', '1.5']) expect(numeric(bad, { min: 0, whole: true }, t), bad).toBeDefined();
    expect(numeric('70000', { min: 1, max: 65535, whole: true }, t)?.why).toContain('65,535');
    expect(numeric('', { min: 0, optional: true }, t)).toBeUndefined();
    expect(numeric('', { min: 0 }, t)?.missing).toBe(true);
  });
  it('a network is an address, perhaps with a prefix', () => {
    for (const good of ['10.0.0.0/8', '192.0.2.7', '::1/128', 'fe80::/10', '0.0.0.0/0']) expect(network(good, t), good).toBeUndefined();
    for (const bad of ['x', '10.0.0.0/33', '256.0.0.1', '10.0.0', '', '1.2.3.4/']) expect(network(bad, t), bad).toBeDefined();
  });
  it('only what is wrong is kept', () => expect(problemsOf({ a: undefined, b: needed('', 'give it') })).toEqual({ b: { why: 'give it', missing: true } }));
});
