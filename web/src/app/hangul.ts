// Finding Korean words while they are being typed: letters instead of syllables, and first consonants alone. Pure.

const FIRST = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ';
const VOWELS = ['ㅏ', 'ㅐ', 'ㅑ', 'ㅒ', 'ㅓ', 'ㅔ', 'ㅕ', 'ㅖ', 'ㅗ', 'ㅗㅏ', 'ㅗㅐ', 'ㅗㅣ', 'ㅛ', 'ㅜ', 'ㅜㅓ', 'ㅜㅔ', 'ㅜㅣ', 'ㅠ', 'ㅡ', 'ㅡㅣ', 'ㅣ'];
const LAST = ['', 'ㄱ', 'ㄲ', 'ㄱㅅ', 'ㄴ', 'ㄴㅈ', 'ㄴㅎ', 'ㄷ', 'ㄹ', 'ㄹㄱ', 'ㄹㅁ', 'ㄹㅂ', 'ㄹㅅ', 'ㄹㅌ', 'ㄹㅍ', 'ㄹㅎ', 'ㅁ', 'ㅂ', 'ㅂㅅ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅊ', 'ㅋ', 'ㅌ', 'ㅍ', 'ㅎ'];
/** What a keyboard composes of two letters before there is a syllable. */
const PAIRS: Record<string, string> = { ㄳ: 'ㄱㅅ', ㄵ: 'ㄴㅈ', ㄶ: 'ㄴㅎ', ㄺ: 'ㄹㄱ', ㄻ: 'ㄹㅁ', ㄼ: 'ㄹㅂ', ㄽ: 'ㄹㅅ', ㄾ: 'ㄹㅌ', ㄿ: 'ㄹㅍ', ㅀ: 'ㄹㅎ', ㅄ: 'ㅂㅅ', ㅘ: 'ㅗㅏ', ㅙ: 'ㅗㅐ', ㅚ: 'ㅗㅣ', ㅝ: 'ㅜㅓ', ㅞ: 'ㅜㅔ', ㅟ: 'ㅜㅣ', ㅢ: 'ㅡㅣ' };

const BEGIN = 0xac00;
const END = 0xd7a3;

function syllable(one: string): [string, string] | undefined {
  const code = one.codePointAt(0) ?? 0;
  if (code < BEGIN || code > END) return undefined;
  const at = code - BEGIN;
  const first = FIRST[Math.floor(at / 588)] ?? '';
  return [first, first + (VOWELS[Math.floor((at % 588) / 28)] ?? '') + (LAST[at % 28] ?? '')];
}

/** A text as the letters that are typed for it, so that a half-typed syllable is a beginning of the whole one. */
export function letters(text: string): string {
  return [...text.normalize('NFC').toLowerCase()].map((one) => syllable(one)?.[1] ?? PAIRS[one] ?? one).join('');
}

/** The first consonant of each syllable; everything else as it is. */
function firsts(text: string): string {
  return [...text.normalize('NFC').toLowerCase()].map((one) => syllable(one)?.[0] ?? one).join('');
}

const CONSONANTS = /^[ㄱ-ㅎ]+$/;

/** Whether every typed word is somewhere in the text: as it is, half-typed, or by first consonants. */
export function found(text: string, typed: string): boolean {
  const whole = letters(text);
  const heads = firsts(text);
  return typed
    .trim()
    .split(/\s+/)
    .every((word) => whole.includes(letters(word)) || (CONSONANTS.test(word) && heads.includes(letters(word))));
}
