// The versions that a pipeline with an apt trigger can be started with: what its publications show, the newest first.

import { queryOptions } from '@tanstack/react-query';
import { answer, client } from './client';
import { list, map, optNumber, optText, text, type JsonMap } from './read';

export interface Offered {
  /** Tells it from the others. */
  key: string;
  package: string;
  version: string;
  architecture: string;
  publication: string;
  /** Since when it is published; nothing where that is too long ago to be known. */
  published: number | undefined;
  uploadedBy: string | undefined;
  /** Why the server would not start it by itself. */
  heldBack: string | undefined;
  /** What the event of its publication gives. */
  trigger: JsonMap;
}

export interface Versions {
  versions: Offered[];
  /** Whether there are more. */
  cut: boolean;
}

export function readVersions(value: unknown): Versions {
  const told = map(value);
  const versions = list(told.versions).map((item): Offered => {
    const one = map(item);
    const trigger = map(one.trigger);
    const named = { package: text(one.package), version: text(one.version), architecture: text(one.architecture), publication: text(one.publication) };
    return { ...named, key: [text(trigger.root), ...Object.values(named)].join(' '), published: optNumber(one.published), uploadedBy: optText(one.uploadedBy), heldBack: optText(one.heldBack), trigger };
  });
  return { versions, cut: told.cut === true };
}

/** Under the repositories: what is published makes it old. */
export const versionsQuery = (pipeline: string) =>
  queryOptions({
    queryKey: ['repositories', 'versions', pipeline],
    queryFn: async ({ signal }) => readVersions(await answer(client.GET('/ui-api/pipelines/{id}/versions', { params: { path: { id: pipeline } }, signal }))),
  });

/** The one to begin with: the newest that the server would start by itself. */
export function firstChoice({ versions }: Versions): Offered | undefined {
  return versions.find((one) => one.heldBack === undefined);
}

/** Whether a pipeline is started by packages of a publication. */
export function takesVersions(triggers: JsonMap[]): boolean {
  return triggers.some((one) => one.type === 'apt' && one.mirror === undefined);
}
