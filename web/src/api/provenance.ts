// Where what runs comes from, and what became of a package.

import { flag, list, map, number, optNumber, optText, text, texts } from './read';

export interface Run {
  id: string;
  application: string;
  name: string;
  at: number | undefined;
  by: string;
  trigger: string;
}

export interface Upload {
  into: string;
  at: number | undefined;
  who: string;
  command: string;
}

export interface PackageInIt {
  name: string;
  version: string;
  architecture: string;
  sha256: string;
  /** What it says of where it was built, by field. */
  build: [string, string][];
  uploads: Upload[];
  published: string[];
}

export interface Group {
  name: string;
  application: string;
  account: string;
  region: string;
  created: number | undefined;
  disabled: boolean;
  up: number;
  instances: string[];
}

export interface Chain {
  image: string;
  name: string;
  made: number | undefined;
  base: string | undefined;
  builder: string | undefined;
  notes: string[];
  bakedBy: Run | undefined;
  packages: PackageInIt[];
  groups: Group[];
}

export interface Provenance {
  chains: Chain[];
  cut: boolean;
}

export function readProvenance(value: unknown): Provenance {
  const all = map(value);
  return { chains: list(all.chains).map(readChain), cut: flag(all.cut) };
}

function readChain(value: unknown): Chain {
  const chain = map(value);
  return {
    image: text(chain.image),
    name: text(chain.name),
    made: optNumber(chain.made),
    base: optText(chain.base),
    builder: optText(chain.builder),
    notes: texts(chain.notes),
    bakedBy: chain.bakedBy === null || chain.bakedBy === undefined ? undefined : readRun(chain.bakedBy),
    packages: list(chain.packages).map(readPackage),
    groups: list(chain.serverGroups).map(readGroup),
  };
}

function readRun(value: unknown): Run {
  const run = map(value);
  return { id: text(run.id), application: text(run.application), name: text(run.name), at: optNumber(run.at), by: text(run.by), trigger: text(run.trigger) };
}

function readPackage(value: unknown): PackageInIt {
  const one = map(value);
  return {
    name: text(one.name),
    version: text(one.version),
    architecture: text(one.architecture),
    sha256: text(one.sha256),
    build: Object.entries(map(one.build)).map(([name, said]) => [name, text(said)]),
    uploads: list(one.uploads).map((item) => {
      const upload = map(item);
      return { into: text(upload.into), at: optNumber(upload.at), who: text(upload.who), command: text(upload.command) };
    }),
    published: texts(one.published),
  };
}

function readGroup(value: unknown): Group {
  const group = map(value);
  return {
    name: text(group.name),
    application: text(group.application),
    account: text(group.account),
    region: text(group.region),
    created: optNumber(group.created),
    disabled: flag(group.disabled),
    up: number(group.up),
    instances: texts(group.instances),
  };
}

/** The same in a few lines of text, to be pasted into a report. */
export function told(chain: Chain): string {
  const lines = chain.packages.flatMap((one) => [
    `package ${one.name} ${one.version} ${one.architecture} sha256:${one.sha256}`,
    ...one.build.map(([name, said]) => `  ${name}: ${said}`),
    ...one.uploads.map((upload) => `  into ${upload.into} by ${upload.who}: ${upload.command}`),
    ...one.published.map((place) => `  published in ${place}`),
  ]);
  const run = chain.bakedBy === undefined ? [] : [`  made by ${chain.bakedBy.name} (${chain.bakedBy.id}), started by ${chain.bakedBy.by}`];
  const groups = chain.groups.map((group) => `server group ${group.account}/${group.region}/${group.name}: ${group.up} of ${group.instances.length} up${group.disabled ? ', disabled' : ''}`);
  return [...lines, `image ${chain.name} ${chain.image}`, ...run, ...groups].join('\n');
}
