// Mirrors: made of an archive, changed, updated by a task that tells how far it is, dropped. Each also says itself as a command.

import { queryOptions } from '@tanstack/react-query';
import { quoted } from './actions';
import { perform, type Doing } from './aptly';
import { flag, map, text, texts } from './read';

/** What of an archive is mirrored. */
export interface Wanted {
  archive: string;
  architectures: string[];
  filter: string;
  withDeps: boolean;
  sources: boolean;
  udebs: boolean;
  installer: boolean;
  appstream: boolean;
}

/** How its signature is checked. The server keeps no mirror's keys: each request names them. */
export interface Trust {
  unchecked: boolean;
  keyrings: string[];
}

export interface NewMirror extends Wanted {
  name: string;
  distribution: string;
  components: string[];
}

/** The switches, as aptly's API and as its commands call them. */
export const SWITCHES = ['sources', 'udebs', 'installer', 'appstream'] as const;
const FIELDS = { sources: 'DownloadSources', udebs: 'DownloadUdebs', installer: 'DownloadInstaller', appstream: 'DownloadAppStream' } as const;

export const NOTHING: Wanted = { archive: '', architectures: [], filter: '', withDeps: false, sources: false, udebs: false, installer: false, appstream: false };

const PPA = /^ppa:([A-Za-z0-9._+-]+\/[A-Za-z0-9._+-]+)$/;

/** The address that somebody means: `ppa:USER/PROJECT` is an archive of Launchpad's. Nothing for what cannot be downloaded from. Pure. */
export function archiveOf(typed: string): string | undefined {
  const word = typed.trim();
  const ppa = PPA.exec(word)?.[1];
  if (ppa !== undefined) return `http://ppa.launchpadcontent.net/${ppa}/ubuntu`;
  return /^https?:\/\/[^\s/]+/i.test(word) ? word : undefined;
}

/** Whether an archive has no components: its indexes lie beside each other in one folder. */
export const isFlat = (distribution: string) => distribution.endsWith('/');

const part = encodeURIComponent;
const option = (name: string, value: string) => (value === '' ? '' : ` -${name}=${quoted(value)}`);
const yes = (name: string, on: boolean) => (on ? ` -${name}` : '');

const trustBody = ({ unchecked, keyrings }: Trust) => ({ ...(unchecked ? { IgnoreSignatures: true } : {}), ...(unchecked || keyrings.length === 0 ? {} : { Keyrings: keyrings }) });
const trustWords = ({ unchecked, keyrings }: Trust) => (unchecked ? ' -ignore-signatures' : keyrings.map((one) => option('keyring', one)).join(''));

export function createMirror({ name, distribution, components, ...wanted }: NewMirror, trust: Trust): Doing {
  const { archive, architectures, filter, withDeps } = wanted;
  const filtered = filter === '' ? {} : { Filter: filter, FilterWithDeps: withDeps };
  const switched = SWITCHES.filter((one) => wanted[one]);
  return {
    call: {
      method: 'POST',
      path: '/api/mirrors',
      body: {
        Name: name,
        ArchiveURL: archive,
        Distribution: distribution,
        ...(components.length === 0 ? {} : { Components: components }),
        ...(architectures.length === 0 ? {} : { Architectures: architectures }),
        ...filtered,
        ...Object.fromEntries(switched.map((one) => [FIELDS[one], true])),
        ...trustBody(trust),
      },
    },
    command: `aptly mirror create${option('architectures', architectures.join(','))}${option('filter', filter)}${yes('filter-with-deps', filter !== '' && withDeps)}${switched.map((one) => ` -with-${one}`).join('')}${trustWords(trust)} ${[name, archive, distribution, ...components].map(quoted).join(' ')}`,
  };
}

/** What is mirrored now, as far as it can be changed. */
export const mirrorQuery = (name: string) =>
  queryOptions({ queryKey: ['repositories', 'mirror', name], queryFn: async ({ signal }) => readWanted(await perform({ method: 'GET', path: `/api/mirrors/${part(name)}` }, signal)) });

export function readWanted(value: unknown): Wanted {
  const mirror = map(value);
  return {
    archive: text(mirror.ArchiveRoot),
    architectures: texts(mirror.Architectures),
    filter: text(mirror.Filter),
    withDeps: flag(mirror.FilterWithDeps),
    sources: flag(mirror.DownloadSources),
    udebs: flag(mirror.DownloadUdebs),
    installer: flag(mirror.DownloadInstaller),
    appstream: flag(mirror.DownloadAppStream),
  };
}

/** Whether a change makes the server look at the archive again, and so at its signature. */
export function asksArchive(before: Wanted, after: Wanted): boolean {
  return before.archive !== after.archive || before.architectures.join() !== after.architectures.join();
}

/** Only what differs: what is not named stays. Nothing when nothing does. */
export function editMirror(name: string, before: Wanted, after: Wanted, trust: Trust): Doing | undefined {
  const body: Record<string, unknown> = {};
  let words = '';
  const change = (differs: boolean, field: string, value: unknown, word: string) => {
    if (!differs) return;
    body[field] = value;
    words += word;
  };
  change(before.archive !== after.archive, 'ArchiveURL', after.archive, option('archive-url', after.archive));
  change(before.architectures.join() !== after.architectures.join(), 'Architectures', after.architectures, option('architectures', after.architectures.join(',')));
  change(before.filter !== after.filter, 'Filter', after.filter, ` -filter=${quoted(after.filter)}`);
  change(before.withDeps !== after.withDeps, 'FilterWithDeps', after.withDeps, ` -filter-with-deps=${after.withDeps}`);
  for (const one of SWITCHES) change(before[one] !== after[one], FIELDS[one], after[one], ` -with-${one}=${after[one]}`);
  if (words === '') return undefined;
  const asked = asksArchive(before, after);
  return {
    call: { method: 'POST', path: `/api/mirrors/${part(name)}`, body: { ...body, ...(asked ? trustBody(trust) : {}) } },
    command: `aptly mirror edit${words}${asked ? trustWords(trust) : ''} ${quoted(name)}`,
  };
}

/** An update goes on by itself: the answer is its task. */
export function updateMirror(name: string, trust: Trust, latest: boolean): Doing {
  return {
    call: { method: 'PUT', path: `/api/mirrors/${part(name)}?_async=true`, body: { ...(latest ? { LatestOnly: true } : {}), ...trustBody(trust) } },
    command: `aptly mirror update${yes('latest', latest)}${trustWords(trust)} ${quoted(name)}`,
  };
}

/** `force`: although snapshots were made of it. */
export function dropMirror(name: string, force: boolean): Doing {
  return { call: { method: 'DELETE', path: `/api/mirrors/${part(name)}${force ? '?force=1' : ''}` }, command: `aptly mirror drop${yes('force', force)} ${quoted(name)}` };
}
