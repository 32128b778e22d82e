// All applications: a table that filters as one types; the filter is in the address.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { memo, useMemo } from 'react';
import type { Application } from '../../api/overview';
import { applicationsQuery } from '../../api/queries';
import { Answered, Empty } from '../../parts/answers';
import { Copyable } from '../../parts/dialog';
import { useFilter } from '../../parts/filter';
import { LongList } from '../../parts/long-list';
import { matches } from '../../parts/match';
import { Ago } from '../../parts/when';
import { useLanguage } from '../../texts';
import { CreateApplication } from './create';

const route = getRouteApi('/applications');

const CREATE = { job: [{ type: 'createApplication', application: { name: 'hello', email: 'me@example.org' } }], application: 'hello', description: 'Create Application: hello' };

export function ApplicationsScreen() {
  const { t, language } = useLanguage();
  const { q, do: doing } = route.useSearch();
  const navigate = route.useNavigate();
  const applications = useQuery(applicationsQuery());
  const open = (create: boolean) => void navigate({ search: ({ q }) => ({ ...(q === undefined ? {} : { q }), ...(create ? { do: 'create' } : {}) }) });
  const [typed, field] = useFilter({ kept: q, label: t.applications.filter, keep: (q) => void navigate({ search: ({ q: _, ...rest }) => ({ ...rest, ...(q === undefined ? {} : { q }) }), replace: true }) });
  const sorted = useMemo(() => [...(applications.data ?? [])].sort((a, b) => a.name.localeCompare(b.name, language)), [applications.data, language]);
  const shown = useMemo(() => sorted.filter((one) => matches(`${one.name} ${one.email ?? ''}`, typed)), [sorted, typed]);
  return (
    <div className="screen">
      <div className="screen-head">
        <h1 className="grow">{t.applications.title}</h1>
        {field}
        {applications.data?.length !== 0 && (
          <button type="button" className="button primary" onClick={() => open(true)}>
            {t.newApplication.create}
          </button>
        )}
      </div>
      <Answered query={applications}>
        {(all) => {
          if (all.length === 0) {
            return (
              <Empty>
                <p>{t.applications.empty}</p>
                <p>{t.newApplication.empty}</p>
                <button type="button" className="button primary" onClick={() => open(true)}>
                  {t.newApplication.create}
                </button>
                <Copyable label={t.applications.emptyCommand} text={`curl -fsS ${location.origin}/tasks -H 'Content-Type: application/json' -d '${JSON.stringify(CREATE)}'`} />
              </Empty>
            );
          }
          return (
            <>
              <table className="rows">
                <thead>
                  <tr>
                    <th>{t.common.name}</th>
                    <th>{t.common.owner}</th>
                    <th className="wide-only">{t.applications.accounts}</th>
                    <th className="number">{t.applications.changed}</th>
                  </tr>
                </thead>
                <LongList as="tbody" items={shown} keyOf={(one) => one.name} guess={37}>
                  {(one) => <Row one={one} />}
                </LongList>
              </table>
              <p className="faint small section">{t.common.shown(shown.length, all.length)}</p>
            </>
          );
        }}
      </Answered>
      {doing === 'create' && applications.data !== undefined && <CreateApplication taken={applications.data.map((one) => one.name)} onClose={() => open(false)} />}
    </div>
  );
}

const Row = memo(function Row({ one }: { one: Application }) {
  return (
    <tr>
      <td>
        <Link className="strong" to="/applications/$application/pipelines" params={{ application: one.name }}>
          <bdi>{one.name}</bdi>
        </Link>
        {one.description !== undefined && (
          <span className="soft small">
            {' '}
            <bdi>{one.description}</bdi>
          </span>
        )}
      </td>
      <td className="soft">
        <bdi>{one.email}</bdi>
      </td>
      <td className="soft wide-only">{one.accounts.join(', ')}</td>
      <td className="number soft">
        <Ago at={one.updated} />
      </td>
    </tr>
  );
});
