// The parts of the screen, as they stand in its address.

export const PARTS = ['local', 'mirrors', 'snapshots', 'publications', 'recipes', 'log'] as const;

export type Part = (typeof PARTS)[number];

export function partOf(word: string | undefined): Part {
  return PARTS.find((one) => one === word) ?? 'local';
}

/** A search part with one word changed; an empty one is left out. */
export function changed<S extends object>(before: S, key: keyof S, value: string): S {
  const rest = { ...before };
  delete rest[key];
  return value === '' ? rest : { ...rest, [key]: value };
}

/** The words of a list as people type it: between spaces or commas. */
export function wordsOf(typed: string): string[] {
  return typed.split(/[\s,]+/).filter((one) => one !== '');
}
