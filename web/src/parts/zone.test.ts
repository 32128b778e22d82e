import { expect, it } from 'vitest';
import { exact } from './time';
import { chooseZone, chosenZone, firstZone } from './zone';

it('begins with the zone that was kept, else with the own', () => {
  expect(firstZone('utc')).toBe('utc');
  expect(firstZone('mars')).toBe('own');
  expect(firstZone(null)).toBe('own');
});

it('is what exact times are shown in', () => {
  chooseZone('utc');
  expect(chosenZone()).toBe('UTC');
  expect(exact(1_772_373_909_000, 'en')).toBe('2026-03-01 14:05:09 UTC');
  chooseZone('own');
  expect(chosenZone()).toBeUndefined();
});
