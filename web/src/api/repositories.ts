// Repositories, mirrors, snapshots and publications.

import { list, map, number, optNumber, optText, text, texts } from './read';

export interface Package {
  name: string;
  version: string;
  architecture: string;
}

export interface Repository {
  name: string;
  comment: string | undefined;
  distribution: string;
  component: string;
  /** How many packages it has; the first of them are listed. */
  count: number;
  packages: Package[];
}

export interface Mirror {
  name: string;
  archive: string;
  distribution: string;
  components: string[];
  architectures: string[];
  filter: string | undefined;
  updated: number | undefined;
  updating: boolean;
  count: number;
}

export interface Snapshot {
  name: string;
  description: string;
  created: number | undefined;
  kind: string;
  sources: string[];
  count: number;
}

/** What a publication showed from one moment on. */
export interface Generation {
  number: number;
  at: number | undefined;
  shown: boolean;
  packages: number;
  addedCount: number;
  removedCount: number;
  added: string[];
  removed: string[];
}

export interface Publication {
  root: string;
  prefix: string;
  distribution: string;
  components: string[];
  architectures: string[];
  sources: string[];
  /** Whether it is made of snapshots. */
  ofSnapshots: boolean;
  signed: boolean;
  line: string;
}

/** A publication with what it shows and showed. */
export interface PublicationHistory extends Publication {
  /** The newest first. */
  generations: Generation[];
}

export interface Repositories {
  repositories: Repository[];
  publications: Publication[];
}

export function readRepositories(value: unknown): Repositories {
  const all = map(value);
  return {
    repositories: list(all.repositories).map(readRepository),
    publications: list(all.publications).map(readPublication),
  };
}

export const readMirrors = (value: unknown): Mirror[] => list(map(value).mirrors).map(readMirror);
export const readSnapshots = (value: unknown): Snapshot[] => list(map(value).snapshots).map(readSnapshot);
export const readPublications = (value: unknown): PublicationHistory[] => list(map(value).publications).map((one) => ({ ...readPublication(one), generations: list(map(one).generations).map(readGeneration) }));

function readRepository(value: unknown): Repository {
  const repository = map(value);
  const packages = list(repository.packages).map((item) => {
    const found = map(item);
    return { name: text(found.name), version: text(found.version), architecture: text(found.architecture) };
  });
  return {
    name: text(repository.name),
    comment: optText(repository.comment),
    distribution: text(repository.distribution),
    component: text(repository.component),
    count: number(repository.count, packages.length),
    packages,
  };
}

function readMirror(value: unknown): Mirror {
  const mirror = map(value);
  return {
    name: text(mirror.name),
    archive: text(mirror.archive),
    distribution: text(mirror.distribution),
    components: texts(mirror.components),
    architectures: texts(mirror.architectures),
    filter: optText(mirror.filter),
    updated: optNumber(mirror.updated),
    updating: mirror.updating === true,
    count: number(mirror.count),
  };
}

function readSnapshot(value: unknown): Snapshot {
  const snapshot = map(value);
  return {
    name: text(snapshot.name),
    description: text(snapshot.description),
    created: optNumber(snapshot.created),
    kind: text(snapshot.kind),
    sources: texts(snapshot.sources),
    count: number(snapshot.count),
  };
}

function readPublication(value: unknown): Publication {
  const publication = map(value);
  return {
    root: text(publication.root),
    prefix: text(publication.prefix),
    distribution: text(publication.distribution),
    components: texts(publication.components),
    architectures: texts(publication.architectures),
    sources: texts(publication.sources),
    ofSnapshots: publication.kind === 'snapshot',
    signed: publication.signed === true,
    line: text(publication.line),
  };
}

function readGeneration(value: unknown): Generation {
  const generation = map(value);
  return {
    number: number(generation.number),
    at: optNumber(generation.at),
    shown: generation.shown === true,
    packages: number(generation.packages),
    addedCount: number(generation.addedCount),
    removedCount: number(generation.removedCount),
    added: texts(generation.added),
    removed: texts(generation.removed),
  };
}

/** Where a publication is, as people write it: `debian/stable`, or `stable` without a prefix. */
export function placeOf({ prefix, distribution }: Pick<Publication, 'prefix' | 'distribution'>): string {
  return [prefix, distribution].filter((part) => part !== '' && part !== '.').join('/');
}
