import { describe, expect, it } from 'vitest';
import { en as t } from '../../texts/en';
import { clusterName, nextName, partProblems } from './naming';

const group = (name: string, createdTime: number) => {
  const [, cluster = '', version = ''] = /^(.*)-v(\d+)$/.exec(name) ?? [];
  return { cluster, sequence: Number(version), createdTime };
};

describe('names of server groups', () => {
  it('are made of application, stack and detail', () => {
    const name = (stack: string, detail: string) => clusterName({ application: 'shop', stack, detail });
    expect([name('', ''), name('main', ''), name('main', 'eu-west'), name('', 'blue')]).toEqual(['shop', 'shop-main', 'shop-main-eu-west', 'shop--blue']);
  });
  it('count on from the group created last', () => {
    expect(nextName('shop', [])).toBe('shop-v000');
    expect(nextName('shop', [group('shop-v000', 1)])).toBe('shop-v001');
    expect(nextName('shop', [group('shop-v007', 1), group('shop-v003', 2)])).toBe('shop-v004');
    expect(nextName('shop', [group('shop-main-v007', 1)])).toBe('shop-v000');
    expect(nextName('shop', [group('shop-v000', 1), group('shop-v999', 5)])).toBe('shop-v001');
    expect(nextName('shop', [group('shop-v004', 1), group('shop-v003', 2)])).toBe('shop-v005');
  });
  it('have parts that cannot be mistaken', () => {
    const problems = (stack: string, detail: string) => partProblems({ application: 'shop', stack, detail }, t);
    expect(problems('main', 'eu-west')).toEqual({ stack: undefined, detail: undefined });
    expect(problems('ma-in', '').stack?.why).toContain("'-' is not allowed");
    expect(problems('', 'blue-v001').detail?.why).toContain('ends like a version');
    expect(problems('v001', '').stack?.why).toContain('ends like a version');
    expect(problems('', 'x'.repeat(130)).detail?.why).toContain('longer than 120');
  });
  it('do not begin with an application that has a hyphen', () => expect(partProblems({ application: 'my-app', stack: '', detail: '' }, t).stack?.why).toContain("'-' is not allowed"));
});
