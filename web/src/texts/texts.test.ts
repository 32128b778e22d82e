import { describe, expect, it } from 'vitest';
import { en } from './en';
import { ko } from './ko';

function leaves(texts: object, path = ''): [string, unknown][] {
  return Object.entries(texts).flatMap(([key, value]) => (typeof value === 'object' ? leaves(value as object, `${path}${key}.`) : [[`${path}${key}`, value] as [string, unknown]]));
}

describe('the catalogue', () => {
  // That no key is missing is the compiler's work; that none is too much or empty is this test's.
  it('has the same keys in both languages', () => expect(leaves(ko).map(([key]) => key).sort()).toEqual(leaves(en).map(([key]) => key).sort()));
  it('has no empty text', () => {
    for (const [key, value] of [...leaves(en), ...leaves(ko)]) if (typeof value === 'string') expect(value.trim(), key).not.toBe('');
  });
  it('is translated: a Korean text has Hangul, but for the product’s name', () => {
    const foreign = leaves(ko).filter(([, value]) => typeof value === 'string' && !/[가-힣]/.test(value));
    expect(foreign.map(([key]) => key)).toEqual(['name']);
  });
});
