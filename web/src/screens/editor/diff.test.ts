import { describe, expect, it } from 'vitest';
import { counted, diffLines, shortened } from './diff';

const told = (before: string, after: string) => diffLines(before, after).map((line) => line.sign + line.text);

describe('the difference of two texts', () => {
  it('is told line by line', () => {
    expect(told('a\nb\nc', 'a\nx\nc')).toEqual([' a', '-b', '+x', ' c']);
    expect(told('a\nb\nc\nd', 'a\nc\nd\ne')).toEqual([' a', '-b', ' c', ' d', '+e']);
    expect(told('', 'a\nb')).toEqual(['+a', '+b']);
    expect(told('a', '')).toEqual(['-a']);
    expect(told('same', 'same')).toEqual([' same']);
    expect(told('', '')).toEqual([]);
  });

  it('numbers the lines of both', () => {
    expect(diffLines('a\nb', 'x\na\nb').map((line) => [line.before, line.after])).toEqual([
      [undefined, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('gives both texts back, whatever they are', () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
    for (let round = 0; round < 200; round++) {
      const make = () => Array.from({ length: random(12) }, () => 'abcd'[random(4)]).join('\n');
      const [before, after] = [make(), make()];
      const lines = diffLines(before, after);
      expect(lines.filter((line) => line.sign !== '+').map((line) => line.text).join('\n')).toBe(before);
      expect(lines.filter((line) => line.sign !== '-').map((line) => line.text).join('\n')).toBe(after);
    }
  });

  it('is quick and right for texts that have nothing in common', () => {
    const before = Array.from({ length: 3000 }, (_, at) => `old ${at}`).join('\n');
    const after = Array.from({ length: 3000 }, (_, at) => `new ${at}`).join('\n');
    expect(counted(diffLines(before, after))).toEqual({ added: 3000, removed: 3000 });
  });

  it('is shortened to what changed', () => {
    const before = Array.from({ length: 20 }, (_, at) => String(at)).join('\n');
    const parts = shortened(diffLines(before, before.replace('\n10\n', '\nten\n')), 1);
    expect(parts.map((part) => ('skipped' in part ? part.skipped : part.sign + part.text))).toEqual([9, ' 9', '-10', '+ten', ' 11', 8]);
  });
});
