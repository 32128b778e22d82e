// Two questions under one key would read each other's answers from the cache.

import { expect, it } from 'vitest';

const sources = import.meta.glob<string>('./*.ts', { query: '?raw', import: 'default', eager: true });

it('no two queries share a key', () => {
  const keys = Object.values(sources).flatMap((source) => [...source.matchAll(/queryKey: (\[[^\]]*\])/g)].map((found) => found[1] ?? ''));
  expect(keys.length).toBeGreaterThan(40);
  // Names of variables do not matter: `['run', id]` and `['run', run]` are the same key.
  const shapes = keys.map((key) => key.replace(/, (?!')[^,\]]+/g, ', *'));
  expect(shapes.filter((key, at) => shapes.indexOf(key) !== at)).toEqual([]);
});
