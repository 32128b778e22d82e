import { afterEach, describe, expect, it } from 'vitest';
import { markRows, rowsOf, stepOf, walkRows } from './rows';

const key = (more: Partial<KeyboardEvent>) => ({ key: '', code: '', target: document.body, ...more }) as KeyboardEvent;

afterEach(() => document.body.replaceChildren());

function list(): HTMLElement {
  document.body.innerHTML = '<main><ul><li class="gap"></li><li><a href="#a">a</a><button>x</button></li><li><a href="#b">b</a></li><li class="gap"></li></ul><input></main>';
  return document.querySelector('ul') as HTMLElement;
}

describe('rows of lists', () => {
  it('say which of how many they are, where others are left out', () => {
    const box = list();
    markRows(box, [40, 41], 1000, true);
    expect(rowsOf(box).map((row) => [row.getAttribute('aria-posinset'), row.getAttribute('aria-setsize')])).toEqual([['41', '1000'], ['42', '1000']]);
    markRows(box, [0, 1], undefined, true);
    expect(rowsOf(box).some((row) => row.hasAttribute('aria-setsize'))).toBe(false);
  });

  it('are walked by j and k, also with a Korean keyboard, but not where somebody types', () => {
    const box = list();
    markRows(box, [0, 1], undefined, true);
    expect([stepOf(key({ key: 'j' })), stepOf(key({ key: 'k' })), stepOf(key({ key: 'ㅓ', code: 'KeyJ' }))]).toEqual([1, -1, 1]);
    expect(stepOf(key({ key: 'h', code: 'KeyJ' }))).toBeUndefined();
    expect(stepOf(key({ key: 'j', target: document.querySelector('input') }))).toBeUndefined();
    expect(stepOf(key({ key: 'j', ctrlKey: true }))).toBeUndefined();
  });

  it('are walked by arrows from what opens a row only', () => {
    const box = list();
    markRows(box, [0, 1], undefined, true);
    expect(stepOf(key({ key: 'ArrowDown' }))).toBeUndefined();
    expect(stepOf(key({ key: 'ArrowDown', target: box.querySelector('a') }))).toBe(1);
    expect(stepOf(key({ key: 'ArrowDown', target: box.querySelector('button') }))).toBeUndefined();
  });

  it('take the focus one after the other, and stay at the ends', () => {
    const box = list();
    markRows(box, [0, 1], undefined, true);
    const steps = [1, 1, 1, -1, -1] as const;
    expect(steps.map((step) => [walkRows(step, () => undefined), document.activeElement?.textContent])).toEqual([[true, 'a'], [true, 'b'], [false, 'b'], [true, 'a'], [false, 'a']]);
  });
});
