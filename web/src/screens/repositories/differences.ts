// From aptly's pairs of packages to what a reader wants to know.

import type { DiffRow } from '../../api/aptly';

export interface Difference {
  what: 'added' | 'removed' | 'changed';
  name: string;
  architecture: string;
  before: string | undefined;
  after: string | undefined;
}

/** `Pamd64 hello 1.0 3a2b…` as its parts: architecture, name, version. */
export function ofKey(key: string): { architecture: string; name: string; version: string } {
  const [first = '', name = '', version = ''] = key.split(' ');
  // Before the architecture stands `P`, and a prefix where the package is of another kind.
  const architecture = first.slice(first.lastIndexOf('P') + 1);
  return { architecture, name, version };
}

export function differences(rows: DiffRow[]): Difference[] {
  return rows.flatMap(({ left, right }) => {
    const named = left ?? right;
    if (named === undefined) return [];
    const { name, architecture } = ofKey(named);
    const version = (key: string | undefined) => (key === undefined ? undefined : ofKey(key).version);
    const what = left === undefined ? 'added' : right === undefined ? 'removed' : 'changed';
    return [{ what, name, architecture, before: version(left), after: version(right) }];
  });
}
