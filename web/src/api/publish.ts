// Publications: made, brought to what their sources hold now, switched to another snapshot, rolled back, dropped.

import { quoted } from './actions';
import { escaped, placeWord, type Doing } from './aptly';
import type { Publication } from './repositories';

const signing = (signed: boolean) => ({ Signing: { Skip: !signed } });
const skip = (signed: boolean) => (signed ? '' : ' -skip-signing');

function path({ prefix, distribution }: Publication): string {
  return `/api/publish/${encodeURIComponent(escaped(prefix))}/${encodeURIComponent(distribution)}`;
}

/** What a new publication is made of, and where it goes. */
export interface NewPublication {
  kind: 'repo' | 'snapshot';
  source: string;
  prefix: string;
  distribution: string;
  component: string;
  /** Empty for those of its packages. */
  architectures: string[];
  signed: boolean;
}

export function publish({ kind, source, prefix, distribution, component, architectures, signed }: NewPublication): Doing {
  const place = prefix === '' ? '.' : prefix;
  const named = component === '' ? { Name: source } : { Name: source, Component: component };
  const option = (flag: string, value: string) => (value === '' ? '' : ` -${flag}=${quoted(value)}`);
  return {
    call: {
      method: 'POST',
      path: `/api/publish/${encodeURIComponent(escaped(place))}`,
      body: { SourceKind: kind === 'repo' ? 'local' : 'snapshot', Sources: [named], ...(distribution === '' ? {} : { Distribution: distribution }), ...(architectures.length === 0 ? {} : { Architectures: architectures }), ...signing(signed) },
    },
    command: `aptly publish ${kind}${skip(signed)}${option('distribution', distribution)}${option('component', component)}${option('architectures', architectures.join(','))} ${quoted(source)}${placeWord(place)}`,
  };
}

export function update(publication: Publication): Doing {
  const { prefix, distribution, signed } = publication;
  return {
    call: { method: 'PUT', path: path(publication), body: signing(signed) },
    command: `aptly publish update${skip(signed)} ${quoted(distribution)}${placeWord(prefix)}`,
  };
}

/** Shows another snapshot in one component. */
export function switchTo(publication: Publication, component: string, snapshot: string): Doing {
  const { prefix, distribution, signed } = publication;
  return {
    call: { method: 'PUT', path: path(publication), body: { Snapshots: [{ Component: component, Name: snapshot }], ...signing(signed) } },
    command: `aptly publish switch${skip(signed)} -component=${quoted(component)} ${quoted(distribution)}${placeWord(prefix)} ${quoted(snapshot)}`,
  };
}

/** Shows again what an earlier generation showed. */
export function rollBack(publication: Publication, to: number): Doing {
  const { root, prefix, distribution, signed } = publication;
  return {
    call: { method: 'POST', path: '/ui-api/publications/rollback', body: { root, prefix, distribution, to, skipSigning: !signed } },
    command: `aptly publish rollback${skip(signed)} -to=${to} ${quoted(distribution)}${placeWord(prefix)}`,
  };
}

export function dropPublication(publication: Publication): Doing {
  const { prefix, distribution } = publication;
  return { call: { method: 'DELETE', path: path(publication) }, command: `aptly publish drop ${quoted(distribution)}${placeWord(prefix)}` };
}
