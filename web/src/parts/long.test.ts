import { describe, expect, it } from 'vitest';
import { between, clamped, covers, piecesOf, rowAt, topsOf } from './long';

describe('a long list', () => {
  const tops = topsOf(100, (at) => (at === 10 ? 200 : 40));
  it('knows where each row begins and where it ends', () => {
    expect([tops[0], tops[10], tops[11], tops[100]]).toEqual([0, 400, 600, 4160]);
  });
  it('finds the row at a height, and the nearest outside', () => {
    expect([-5, 0, 39, 40, 399, 400, 599, 600, 4159, 9999].map((y) => rowAt(tops, y))).toEqual([0, 0, 0, 1, 9, 10, 10, 11, 99, 99]);
  });
  it('draws what is between two heights', () => {
    expect(between(tops, 80, 410)).toEqual({ from: 2, to: 11 });
    expect(between(topsOf(0, () => 1), 0, 100)).toEqual({ from: 0, to: 0 });
    expect(covers({ from: 2, to: 11 }, { from: 3, to: 11 })).toBe(true);
    expect(covers({ from: 2, to: 11 }, { from: 1, to: 11 })).toBe(false);
  });
  it('keeps the length of a range when the list becomes shorter', () => {
    expect(clamped({ from: 60, to: 80 }, 30)).toEqual({ from: 10, to: 30 });
    expect(clamped({ from: 60, to: 80 }, 5)).toEqual({ from: 0, to: 5 });
    expect(clamped({ from: 0, to: 80 }, 100)).toEqual({ from: 0, to: 80 });
  });
  it('has gaps of the height of what they stand for', () => {
    expect(piecesOf(tops, { from: 9, to: 11 }, undefined)).toEqual([{ gap: 360, from: 0 }, { at: 9 }, { at: 10 }, { gap: 3560, from: 11 }]);
    expect(piecesOf(tops, { from: 0, to: 100 }, undefined)).toHaveLength(100);
  });
  it('holds the row with the focus wherever it is', () => {
    expect(piecesOf(tops, { from: 9, to: 10 }, 2)).toEqual([{ gap: 80, from: 0 }, { at: 2 }, { gap: 240, from: 3 }, { at: 9 }, { gap: 3760, from: 10 }]);
    expect(piecesOf(tops, { from: 9, to: 10 }, 99).slice(1)).toEqual([{ at: 9 }, { gap: 3720, from: 10 }, { at: 99 }]);
    expect(piecesOf(tops, { from: 9, to: 10 }, 9)).toHaveLength(3);
    expect(piecesOf(tops, { from: 9, to: 10 }, 500)).toHaveLength(3);
  });
});
