import { describe, expect, it } from 'vitest';
import { found, letters } from './hangul';

describe('finding while typing', () => {
  it.each([
    ['파이프라인', '파이', true],
    // On the way to 파이프 a keyboard shows these.
    ['파이프라인', '파잎', true],
    ['파이프라인', '파이ㅍ', true],
    ['파이프라인', 'ㅍㅇㅍ', true],
    ['로드 밸런서', 'ㄹㄷ ㅂㄹㅅ', true],
    ['값 확인', '갑ㅅ', true],
    ['파이프라인', 'ㅍㄱ', false],
    ['To the next version', 'NEXT to', true],
    ['hello', 'help', false],
    ['anything', '', true],
  ])('%s by %s: %s', (text, typed, expected) => expect(found(text, typed)).toBe(expected));

  it('takes composed and decomposed Hangul for the same', () => expect(letters('한글'.normalize('NFD'))).toBe(letters('한글')));
});
