// All applications: a table that filters as one types; the filter is in the address.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { applicationsQuery } from '../../api/queries';
import { Answered, Empty } from '../../parts/answers';
import { Copyable } from '../../parts/dialog';
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
  const open = (create: boolean) => void navigate({ search: { ...(q === undefined ? {} : { q }), ...(create ? { do: 'create' } : {}) } });
  return (
    <div className="screen">
      <div className="screen-head">
        <h1 className="grow">{t.applications.title}</h1>
        <input
          className="field"
          type="search"
          value={q ?? ''}
          placeholder={t.applications.filter}
          aria-label={t.applications.filter}
          onChange={(event) => void navigate({ search: event.target.value === '' ? {} : { q: event.target.value }, replace: true })}
        />
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
          const shown = all.filter((one) => matches(`${one.name} ${one.email ?? ''}`, q ?? '')).sort((a, b) => a.name.localeCompare(b.name, language));
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
                <tbody>
                  {shown.map((one) => (
                    <tr key={one.name}>
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
                  ))}
                </tbody>
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
