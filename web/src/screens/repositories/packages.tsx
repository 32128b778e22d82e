// The packages of a repository as a table; of the open one its fields and files.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { memo, useCallback, useMemo } from 'react';
import { packageNamesQuery, packagesQuery } from '../../api/queries';
import type { Package, Repository } from '../../api/repositories';
import { useLater } from '../../parts/later';
import { LongList } from '../../parts/long-list';
import { matches } from '../../parts/match';
import { useTexts } from '../../texts';
import { changed } from './parts';
import { askedOf, isQuery } from './query';

const route = getRouteApi('/repositories');

/** So long typing rests before the server is asked, in milliseconds. */
const REST = 150;

/** A package, or what is shown of it below when it is open. */
interface Line {
  key: string;
  one: Package;
  fields: boolean;
}

function linesOf(repository: string, packages: Package[], open: string | undefined): Line[] {
  return packages.flatMap((one) => {
    const key = `${repository}/${one.name}_${one.version}_${one.architecture}`;
    const line = { key, one, fields: false };
    return key === open ? [line, { key: `${key} fields`, one, fields: true }] : [line];
  });
}

export function PackageTable({ repository, typed }: { repository: Repository; typed: string }) {
  const t = useTexts();
  const { package: open } = route.useSearch();
  const navigate = route.useNavigate();
  const asked = useLater(askedOf(typed, repository.packages.length >= repository.count), REST);
  const found = useQuery({ ...packageNamesQuery(repository.name, asked ?? ''), enabled: asked !== undefined, placeholderData: keepPreviousData });
  // Until the server has answered, what is there stays.
  const meant = useMemo(() => {
    if (asked !== undefined && found.data !== undefined) return found.data;
    return repository.packages.filter((one) => isQuery(typed) || matches(`${one.name} ${one.version} ${one.architecture}`, typed));
  }, [asked, found.data, repository.packages, typed]);
  const lines = useMemo(() => linesOf(repository.name, meant, open), [repository.name, meant, open]);
  const toggle = useCallback((key: string) => void navigate({ search: (before) => changed(before, 'package', before.package === key ? '' : key), replace: true }), [navigate]);
  if (asked !== undefined && found.error !== null) {
    return (
      <p className="small tone-bad" role="alert">
        {found.error.message}
      </p>
    );
  }
  return (
    <>
      {lines.length > 0 && (
        <table className="rows">
          <thead>
            <tr>
              <th>{t.repositories.packages}</th>
              <th>{t.repositories.version}</th>
              <th>{t.repositories.architecture}</th>
            </tr>
          </thead>
          <LongList as="tbody" items={lines} keyOf={(line) => line.key} guess={37} reveal={open}>
            {(line) => <Row repository={repository.name} line={line} open={open === line.key} onToggle={toggle} />}
          </LongList>
        </table>
      )}
      {meant.length !== repository.count && <p className="faint small">{t.common.shown(meant.length, repository.count)}</p>}
    </>
  );
}

const Row = memo(function Row({ repository, line: { key, one, fields }, open, onToggle }: { repository: string; line: Line; open: boolean; onToggle: (key: string) => void }) {
  const t = useTexts();
  if (fields) {
    return (
      <tr className="package-details">
        <td colSpan={3} aria-label={t.packages.fields}>
          <Fields repository={repository} one={one} />
        </td>
      </tr>
    );
  }
  return (
    <tr data-package={one.name}>
      <td>
        <button type="button" className="package-open strong" aria-expanded={open} onClick={() => onToggle(key)}>
          <bdi>{one.name}</bdi>
        </button>
      </td>
      <td>
        <bdi>{one.version}</bdi>
      </td>
      <td className="soft">{one.architecture}</td>
    </tr>
  );
});

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
