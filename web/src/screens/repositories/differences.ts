// From aptly's pairs of packages to what a reader wants to know.

import { ofKey, type DiffRow } from '../../api/aptly';

export interface Difference {
  what: 'added' | 'removed' | 'changed';
  name: string;
  architecture: string;
  before: string | undefined;
  after: string | undefined;
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
