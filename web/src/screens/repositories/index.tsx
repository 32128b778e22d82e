// Repositories: what is in each and where it is published, mirrors, snapshots, publications, recipes, and what was done. The open part, the
// filter and what is compared or looked at are in the address.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { repositoriesQuery } from '../../api/queries';
import type { Repositories } from '../../api/repositories';
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
  const repositories = useQuery(repositoriesQuery());
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
      <Answered query={repositories}>{(all) => <PartOf part={part} all={all} />}</Answered>
    </div>
  );
}

function PartOf({ part, all }: { part: Part; all: Repositories }) {
  switch (part) {
    case 'local':
      return (
        <>
          <LocalPart all={all} />
          {(all.repositories.length > 0 || all.publications.length > 0) && <OperationsPart />}
        </>
      );
    case 'mirrors':
      return <MirrorsPart mirrors={all.mirrors} />;
    case 'snapshots':
      return <SnapshotsPart all={all} />;
    case 'publications':
      return <PublicationsPart all={all} />;
    case 'recipes':
      return <RecipesPart all={all} />;
    case 'log':
      return <OperationsPart />;
  }
}
