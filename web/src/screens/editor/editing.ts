// What every part of the editor needs: the document, how to change it, what was found wrong, and what expressions may name.

import { createContext, useContext } from 'react';
import type { Finding } from '../../api/editor';
import type { Offer } from './complete';
import type { Doc } from './model';
import { isWithin, readPath, type Path } from './paths';

export interface Editing {
  application: string;
  doc: Doc;
  /** Puts a value at a place; undefined takes it away. Changes of the same place soon after each other are one step. */
  edit: (path: Path, value: unknown) => void;
  /** A whole new document: one step. */
  change: (doc: Doc) => void;
  findings: Finding[];
  offers: Offer[];
  /** The latest run, in which expressions can be tried. */
  run: string | undefined;
}

export const EditingContext = createContext<Editing | undefined>(undefined);

export function useEditing(): Editing {
  const editing = useContext(EditingContext);
  if (editing === undefined) throw new Error('a part of the editor stands outside it');
  return editing;
}

const places = new WeakMap<Finding, Path>();

/** Where a finding is; read once, for it is asked by every field. */
function placeOf(finding: Finding): Path {
  const known = places.get(finding) ?? readPath(finding.path);
  places.set(finding, known);
  return known;
}

/** The findings at a place, or also those inside it. */
export function findingsAt(findings: Finding[], path: Path, inside: boolean): Finding[] {
  return findings.filter((finding) => {
    const at = placeOf(finding);
    return isWithin(path, at) && (inside || at.length === path.length);
  });
}

const WORST = ['error', 'warning', 'hint'] as const;

export function worst(findings: Finding[]): Finding['severity'] | undefined {
  return WORST.find((one) => findings.some((finding) => finding.severity === one));
}
