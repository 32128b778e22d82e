import { describe, expect, it } from 'vitest';
import { isField } from '../parts/field';
import { opens } from './finder';

const key = (more: Partial<Parameters<typeof opens>[0]>) => ({ key: '', code: '', ctrlKey: false, metaKey: false, altKey: false, isComposing: false, target: document.body, ...more });

describe('the keys that open the palette', () => {
  it('are Ctrl K, also with a Korean keyboard and in a field', () => {
    expect(opens(key({ key: 'k', ctrlKey: true }))).toBe(true);
    expect(opens(key({ key: 'ㅏ', code: 'KeyK', ctrlKey: true, target: document.createElement('input') }))).toBe(true);
    expect(opens(key({ key: 'k' }))).toBe(false);
  });

  it('and / where nobody types', () => {
    expect(opens(key({ key: '/' }))).toBe(true);
    expect(opens(key({ key: '/', isComposing: true }))).toBe(false);
    for (const name of ['input', 'textarea', 'select']) expect(opens(key({ key: '/', target: document.createElement(name) }))).toBe(false);
  });

  it('a checkbox takes no text', () => {
    const box = document.createElement('input');
    box.type = 'checkbox';
    expect(isField(box)).toBe(false);
  });
});
