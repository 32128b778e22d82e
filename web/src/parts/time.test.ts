import { describe, expect, it } from 'vitest';
import { en } from '../texts/en';
import { ko } from '../texts/ko';
import { age, ago, clock, duration, exact } from './time';

describe('durations', () => {
  it.each([
    [0, '0s'],
    [400, '0.4s'],
    [7_900, '7s'],
    [64_000, '1m 04s'],
    [7_500_000, '2h 05m'],
    [273_600_000, '3d 4h'],
  ])('%d ms is %s', (ms, expected) => expect(duration(ms, en)).toBe(expected));

  it('speak Korean', () => expect(duration(64_000, ko)).toBe('1분 04초'));
});

describe('ages', () => {
  const now = 1_900_000_000_000;
  it.each([
    [500, 'now'],
    [7_000, '7s ago'],
    [240_000, '4m ago'],
    [7_200_000, '2h ago'],
    [259_200_000, '3d ago'],
  ])('%d ms before now is %s', (past, expected) => expect(ago(now - past, now, en)).toBe(expected));

  it('of a clock that runs ahead is now', () => expect(age(now + 60_000, now, en)).toBe('now'));
  it('speak Korean', () => expect(ago(now - 240_000, now, ko)).toBe('4분 전'));
});

describe('exact moments', () => {
  it('say date, time and zone', () => {
    const at = Date.UTC(2026, 2, 1, 14, 5, 9);
    expect(exact(at, 'en', 'UTC')).toBe('2026-03-01 14:05:09 UTC');
    expect(exact(at, 'ko', 'UTC')).toBe('2026-03-01 14:05:09 UTC');
    expect(clock(at, 'UTC')).toBe('14:05:09');
  });
});
