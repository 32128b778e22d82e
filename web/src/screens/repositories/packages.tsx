// The packages of a repository as a table; of the open one its fields and files.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { packagesQuery } from '../../api/queries';
import type { Package, Repository } from '../../api/repositories';
import { matches } from '../../parts/match';
import { useTexts } from '../../texts';
import { changed } from './parts';
import { isQuery } from './query';

const route = getRouteApi('/repositories');

/** So many are drawn. */
const DRAWN = 200;

export function PackageTable({ repository, typed }: { repository: Repository; typed: string }) {
  const t = useTexts();
  const asked = isQuery(typed);
  const found = useQuery({ ...packagesQuery(repository.name, typed), enabled: asked, placeholderData: (before) => before });
  if (asked && found.error !== null) {
    return (
      <p className="small tone-bad" role="alert">
        {found.error.message}
      </p>
    );
  }
  // Until the server has answered, what is there stays.
  const words = asked ? '' : typed;
  const meant: Package[] =
    asked && found.data !== undefined
      ? found.data.map((fields) => ({ name: fields.Package ?? '', version: fields.Version ?? '', architecture: fields.Architecture ?? '' }))
      : repository.packages.filter((one) => matches(`${one.name} ${one.version} ${one.architecture}`, words));
  const shown = meant.slice(0, DRAWN);
  return (
    <>
      {shown.length > 0 && (
        <table className="rows">
          <thead>
            <tr>
              <th>{t.repositories.packages}</th>
              <th>{t.repositories.version}</th>
              <th>{t.repositories.architecture}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <Row key={`${one.name} ${one.version} ${one.architecture}`} repository={repository.name} one={one} />
            ))}
          </tbody>
        </table>
      )}
      {shown.length !== repository.count && <p className="faint small">{t.common.shown(shown.length, repository.count)}</p>}
    </>
  );
}

function Row({ repository, one }: { repository: string; one: Package }) {
  const t = useTexts();
  const { package: open } = route.useSearch();
  const navigate = route.useNavigate();
  const key = `${repository}/${one.name}_${one.version}_${one.architecture}`;
  const here = open === key;
  return (
    <>
      <tr data-package={one.name}>
        <td>
          <button type="button" className="package-open strong" aria-expanded={here} onClick={() => void navigate({ search: (before) => changed(before, 'package', here ? '' : key), replace: true })}>
            <bdi>{one.name}</bdi>
          </button>
        </td>
        <td>
          <bdi>{one.version}</bdi>
        </td>
        <td className="soft">{one.architecture}</td>
      </tr>
      {here && (
        <tr className="package-details">
          <td colSpan={3} aria-label={t.packages.fields}>
            <Fields repository={repository} one={one} />
          </td>
        </tr>
      )}
    </>
  );
}

/** Fields of our own bookkeeping, which say nothing to a reader. */
const HIDDEN = ['FilesHash', 'ShortKey', 'Key'];

function Fields({ repository, one }: { repository: string; one: Package }) {
  const t = useTexts();
  const found = useQuery(packagesQuery(repository, `${one.name}_${one.version}_${one.architecture}`));
  const fields = found.data?.[0];
  if (found.error !== null) return <p className="small tone-bad">{found.error.message}</p>;
  if (fields === undefined) return <p className="faint small">{found.isPending ? t.common.loading : t.packages.gone}</p>;
  return (
    <dl className="facts">
      {Object.entries(fields)
        .filter(([name, value]) => value !== '' && !HIDDEN.includes(name))
        .map(([name, value]) => (
          <div key={name} className="fact">
            <dt>{name}</dt>
            <dd className="field-value">
              <bdi>{value.trim()}</bdi>
            </dd>
          </div>
        ))}
    </dl>
  );
}
