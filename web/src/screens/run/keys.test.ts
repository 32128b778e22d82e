// One key for each lens, but never while something is typed.

import { expect, it } from 'vitest';
import { lensOf } from './keys';
import { readRunSearch } from './views';

const press = (key: string, more: object = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, defaultPrevented: false, ...more });

it('a key alone chooses a lens', () => {
  const body = document.createElement('div');
  expect(['g', 't', 'l', 'x'].map((key) => lensOf(press(key), body))).toEqual(['graph', 'timeline', 'table', undefined]);
  expect(lensOf(press('t', { ctrlKey: true }), body)).toBeUndefined();
  expect(lensOf(press('t', { isComposing: true }), body)).toBeUndefined();
});

it('not in a field or a dialog', () => {
  const dialog = document.createElement('dialog');
  const button = dialog.appendChild(document.createElement('button'));
  for (const target of [document.createElement('input'), document.createElement('textarea'), document.createElement('select'), button]) expect(lensOf(press('t'), target)).toBeUndefined();
});

it('an address may ask for every lens, tab and action', () =>
  expect(readRunSearch({ lens: 'timeline', tab: 'expressions', act: 'skip', on: 'S', other: 1 })).toEqual({ lens: 'timeline', tab: 'expressions', act: 'skip', on: 'S' }));
