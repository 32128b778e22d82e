// Repositories: what is in each and where it is published, mirrors, snapshots, publications, recipes, and what was done. The open part, the
// filter and what is compared or looked at are in the address.

import { useQuery, type UseQueryOptions } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { mirrorsQuery, publicationsQuery, repositoriesQuery, snapshotsQuery } from '../../api/queries';
import { Answered } from '../../parts/answers';
import { useTexts } from '../../texts';
import { LocalPart } from './local';
import { MirrorsPart } from './mirrors';
import { OperationsPart } from './operations';
import { PublicationsPart } from './publications';
import { RecipesPart } from './recipes';
import { SnapshotsPart } from './snapshots';
import { partOf, PARTS, type Part } from './parts';
import './repositories.css';

const route = getRouteApi('/repositories');

export function RepositoriesScreen() {
  const t = useTexts();
  const search = route.useSearch();
  const part = partOf(search.part);
  return (
    <div className="screen">
      <div className="screen-head">
        <h1>{t.repositories.title}</h1>
        <nav className="tabs" aria-label={t.parts.of}>
          {PARTS.map((one) => (
            <Link key={one} to="/repositories" search={one === 'local' ? {} : { part: one }} className={one === part ? 'tab here' : 'tab'} aria-current={one === part ? 'page' : undefined}>
              {t.parts[one]}
            </Link>
          ))}
        </nav>
      </div>
      <PartOf part={part} />
    </div>
  );
}

function PartOf({ part }: { part: Part }) {
  switch (part) {
    case 'local':
      return (
        <Asked query={repositoriesQuery()}>
          {(all) => (
            <>
              <LocalPart all={all} />
              {(all.repositories.length > 0 || all.publications.length > 0) && <OperationsPart />}
            </>
          )}
        </Asked>
      );
    case 'mirrors':
      return <Asked query={mirrorsQuery()}>{(mirrors) => <MirrorsPart mirrors={mirrors} />}</Asked>;
    case 'snapshots':
      return <Asked query={snapshotsQuery()}>{(snapshots) => <SnapshotsPart snapshots={snapshots} />}</Asked>;
    case 'publications':
      return <Asked query={publicationsQuery()}>{(publications) => <PublicationsPart publications={publications} />}</Asked>;
    case 'recipes':
      return <Asked query={repositoriesQuery()}>{(all) => <RecipesPart all={all} />}</Asked>;
    case 'log':
      return <OperationsPart />;
  }
}

/** What a part asks for, once it is there. */
function Asked<T, K extends readonly unknown[]>({ query, children }: { query: UseQueryOptions<T, Error, T, K>; children: (data: T) => ReactNode }) {
  return <Answered query={useQuery(query)}>{children}</Answered>;
}
