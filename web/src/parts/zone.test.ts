import { expect, it } from 'vitest';
import { exact } from './time';
import { chooseZone, chosenZone, dayBegins, firstZone, learnTeamZone, zonesOffered } from './zone';

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

it('is the team’s once the server said which that is', () => {
  expect(zonesOffered()).toEqual(['own', 'utc']);
  chooseZone('team');
  expect(chosenZone()).toBeUndefined();
  learnTeamZone('Mars/Olympus');
  expect(zonesOffered()).toEqual(['own', 'utc']);
  learnTeamZone('Asia/Seoul');
  expect(zonesOffered()).toEqual(['own', 'team', 'utc']);
  expect(chosenZone()).toBe('Asia/Seoul');
  expect(exact(1_772_373_909_000, 'en')).toBe('2026-03-01 23:05:09 GMT+9');
  chooseZone('own');
});

it('begins its days where its clocks say so', () => {
  expect(dayBegins('2026-03-01', 'UTC')).toBe(Date.UTC(2026, 2, 1));
  expect(dayBegins('2026-03-01', 'Asia/Seoul')).toBe(Date.UTC(2026, 1, 28, 15));
  // The days on which clocks are changed, and those after them.
  expect(dayBegins('2026-03-29', 'Europe/Berlin')).toBe(Date.UTC(2026, 2, 28, 23));
  expect(dayBegins('2026-03-30', 'Europe/Berlin')).toBe(Date.UTC(2026, 2, 29, 22));
  expect(dayBegins('2026-10-26', 'Europe/Berlin')).toBe(Date.UTC(2026, 9, 25, 23));
  expect(dayBegins('2026-11-01', 'America/Los_Angeles')).toBe(Date.UTC(2026, 10, 1, 7));
  for (const bad of ['', '2026-13-40', 'today']) expect(dayBegins(bad, 'UTC')).toBeUndefined();
});
