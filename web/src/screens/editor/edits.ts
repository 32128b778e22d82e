// The state of the editor: the document, what was done to it (to undo and redo it), and the JSON text while it is typed. Pure.

import type { Doc } from './model';
import { pretty, same } from './model';
import { parseJson, type JsonError } from './json';

const MOST = 200;

export interface Edits {
  doc: Doc;
  past: Doc[];
  future: Doc[];
  /** As the server has it; undefined of a new pipeline. */
  saved: Doc | undefined;
  /** The text in the JSON view as it was typed, until something else changes the document. */
  typed: string | undefined;
  error: JsonError | undefined;
  /** What the latest step changed: more of the same soon after is one step. */
  last: { what: string; at: number } | undefined;
}

export type Act =
  | { do: 'set'; doc: Doc; what?: string | undefined; at: number }
  | { do: 'type'; text: string; at: number }
  | { do: 'undo' }
  | { do: 'redo' }
  | { do: 'saved'; doc: Doc };

/** Two changes of the same field within this time are one step. */
const TOGETHER = 1500;

export function begin(doc: Doc, saved: Doc | undefined): Edits {
  return { doc, past: [], future: [], saved, typed: undefined, error: undefined, last: undefined };
}

export function act(state: Edits, action: Act): Edits {
  switch (action.do) {
    case 'set':
      return { ...stepped(state, action.doc, action.what, action.at), typed: undefined, error: undefined };
    case 'type': {
      const read = parseJson(action.text);
      if (!read.ok) return { ...state, typed: action.text, error: read.error };
      if (typeof read.value !== 'object' || read.value === null || Array.isArray(read.value)) {
        return { ...state, typed: action.text, error: { line: 1, column: 1, offset: 0, what: 'object' } };
      }
      return { ...stepped(state, read.value as Doc, 'json', action.at), typed: action.text, error: undefined };
    }
    case 'undo': {
      // An unreadable text is taken back first: the document never had it.
      if (state.error !== undefined) return { ...state, typed: undefined, error: undefined };
      const doc = state.past.at(-1);
      if (doc === undefined) return state;
      return { ...state, doc, past: state.past.slice(0, -1), future: [state.doc, ...state.future], typed: undefined, error: undefined, last: undefined };
    }
    case 'redo': {
      const [doc, ...future] = state.future;
      if (doc === undefined) return state;
      return { ...state, doc, past: [...state.past, state.doc], future, typed: undefined, error: undefined, last: undefined };
    }
    case 'saved':
      return begin(action.doc, action.doc);
  }
}

function stepped(state: Edits, doc: Doc, what: string | undefined, at: number): Edits {
  if (same(doc, state.doc)) return { ...state, doc };
  const together = what !== undefined && state.last?.what === what && at - state.last.at < TOGETHER;
  return {
    ...state,
    doc,
    past: together ? state.past : [...state.past, state.doc].slice(-MOST),
    future: [],
    last: what === undefined ? undefined : { what, at },
  };
}

/** The text of the JSON view. */
export function textOf(state: Edits): string {
  return state.typed ?? pretty(state.doc);
}

/** Whether something would be lost. */
export function isChanged(state: Edits): boolean {
  return state.error !== undefined || (state.saved === undefined ? state.past.length > 0 : !same(state.doc, state.saved));
}
