// What the fields of a stage are called and mean, from the page's texts: nearer words before general ones.

import { createContext } from 'react';
import { wordOf } from '../../parts/word';
import type { Texts } from '../../texts/en';
import type { Path } from './paths';
import type { Naming } from './schema';

interface Words {
  label: string;
  help?: string;
}

/** The words for a key: as a part of what it stands in, of a stage of this type, or anywhere. */
export function wordsFor(t: Texts, type: string, within: string | undefined, key: string): Words | undefined {
  const names = [`${within ?? ''}.${key}`, `${type}.${key}`, key];
  return names.map((name) => wordOf<Words>(t.fields, name)).find((words) => words !== undefined);
}

/** What a value of a field means that is chosen from several. */
export function choiceWord(t: Texts, field: string, value: unknown): string | undefined {
  return wordOf(t.choices, `${field}.${String(value)}`);
}

/** Of which type the stage is whose form this is; without one the fields are called by their keys. */
export const StageType = createContext<string | undefined>(undefined);

/** How the fields are called of an object at a place below a stage. */
export function namingAt(t: Texts, type: string | undefined, path: Path): Naming | undefined {
  if (type === undefined) return undefined;
  // The first two steps lead to the stage itself.
  const within = path.slice(2).filter((step) => typeof step === 'string').at(-1);
  return (key) => wordsFor(t, type, within, key);
}
