// Publications: showing what their sources hold now.

import { curl, quoted, type Said } from './actions';
import { answer, client } from './client';
import type { Publication } from './overview';

/** A place as it stands in a path of aptly's API: `storage:some/prefix` is `storage:some_prefix`. */
function escaped(place: string): string {
  const at = place.lastIndexOf(':');
  const prefix = place.slice(at + 1).replaceAll('_', '__').replaceAll('/', '_');
  return `${at < 0 ? '' : place.slice(0, at)}:${prefix}`;
}

const signing = (publication: Publication) => ({ Signing: { Skip: !publication.signed } });

export async function update(publication: Publication): Promise<void> {
  const path = { prefix: escaped(publication.prefix), distribution: publication.distribution };
  await answer(client.PUT('/api/publish/{prefix}/{distribution}', { params: { path }, body: signing(publication) }));
}

export function updateSaid(origin: string, publication: Publication): Said {
  const { prefix, distribution, signed } = publication;
  const place = prefix === '.' ? '' : ` ${quoted(prefix)}`;
  const path = `/api/publish/${encodeURIComponent(escaped(prefix))}/${encodeURIComponent(distribution)}`;
  return {
    command: `aptly publish update${signed ? '' : ' -skip-signing'} ${quoted(distribution)}${place}`,
    request: curl('PUT', origin, path, signing(publication)),
  };
}
