// What people and programs did in the repositories, and the way back from it.

import { answer, client } from './client';
import { curl, quoted, type Said } from './actions';
import { list, map, number, optNumber, text, texts } from './read';

export type Kind = 'repo' | 'snapshot' | 'mirror' | 'publication';

export interface Change {
  kind: Kind;
  name: string;
  what: 'made' | 'changed' | 'removed';
  addedCount: number;
  removedCount: number;
  added: string[];
  removed: string[];
}

export interface Operation {
  root: string;
  id: number;
  at: number;
  who: string;
  command: string;
  undoes: number | undefined;
  undoneBy: number | undefined;
  changes: Change[];
}

function known<T extends string>(value: unknown, all: readonly T[], otherwise: T): T {
  return all.find((one) => one === value) ?? otherwise;
}

function readChange(value: unknown): Change {
  const change = map(value);
  return {
    kind: known(change.kind, ['repo', 'snapshot', 'mirror', 'publication'], 'repo'),
    name: text(change.name),
    what: known(change.what, ['made', 'changed', 'removed'], 'changed'),
    addedCount: number(change.addedCount),
    removedCount: number(change.removedCount),
    added: texts(change.added),
    removed: texts(change.removed),
  };
}

export function readOperation(value: unknown): Operation {
  const operation = map(value);
  return {
    root: text(operation.root),
    id: number(operation.id),
    at: number(operation.at),
    who: text(operation.who),
    command: text(operation.command),
    undoes: optNumber(operation.undoes),
    undoneBy: optNumber(operation.undoneBy),
    changes: list(operation.changes).map(readChange),
  };
}

export function readOperations(value: unknown): Operation[] {
  return list(map(value).operations).map(readOperation);
}

/** Whether undoing it shows a publication again, which clients may want signed. */
export function showsAgain(operation: Operation): boolean {
  return operation.changes.some((change) => change.kind === 'publication' && change.what !== 'made');
}

export async function undo(operation: Operation, skipSigning: boolean): Promise<void> {
  const request = client.POST('/ui-api/operations/{id}/undo', {
    params: { path: { id: operation.id }, query: { root: operation.root, skipSigning } },
  });
  await answer(request);
}

export function undoSaid(origin: string, operation: Operation, skipSigning: boolean): Said {
  const query = new URLSearchParams({ root: operation.root, ...(skipSigning ? { skipSigning: 'true' } : {}) });
  return {
    command: `gennaker undo ${operation.id} --root ${quoted(operation.root)}${skipSigning ? ' --skip-signing' : ''}`,
    request: curl('POST', origin, `/ui-api/operations/${operation.id}/undo?${query}`),
  };
}
