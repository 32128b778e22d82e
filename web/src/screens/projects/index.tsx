// All projects: a table that filters as one types, and a new one; filter and open dialog are in the address.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { projectsQuery } from '../../api/projects';
import { Answered, Empty } from '../../parts/answers';
import { Copyable } from '../../parts/dialog';
import { useFilter } from '../../parts/filter';
import { LongList } from '../../parts/long-list';
import { matches } from '../../parts/match';
import { Ago } from '../../parts/when';
import { useLanguage } from '../../texts';
import { ProjectDialog } from './edit';
import { NEW } from './project';
import './projects.css';

const route = getRouteApi('/projects');

export function ProjectsScreen() {
  const { t, language } = useLanguage();
  const { q, edit } = route.useSearch();
  const navigate = route.useNavigate();
  const projects = useQuery(projectsQuery());
  const filter = q === undefined ? {} : { q };
  const [typed, field] = useFilter({ kept: q, label: t.projects.filter, keep: (q) => void navigate({ search: ({ q: _, ...rest }) => ({ ...rest, ...(q === undefined ? {} : { q }) }), replace: true }) });
  const make = (
    <button type="button" className="button primary" onClick={() => void navigate({ search: { ...filter, edit: 'new' } })} data-new>
      {t.projects.make}
    </button>
  );
  return (
    <div className="screen">
      <div className="screen-head">
        <h1 className="grow">{t.projects.title}</h1>
        {(projects.data?.length ?? 0) > 0 && (
          <>
            {field}
            {make}
          </>
        )}
      </div>
      <Answered query={projects}>
        {(all) => {
          if (all.length === 0) {
            return (
              <Empty>
                <p>{t.projects.empty}</p>
                {make}
                <Copyable label={t.common.asCommand} text="gennaker project save --name my-project --email me@example.org" />
              </Empty>
            );
          }
          const shown = all.filter((one) => matches(`${one.name} ${one.email} ${one.applications.join(' ')}`, typed)).sort((a, b) => a.name.localeCompare(b.name, language));
          return (
            <>
              <table className="rows">
                <thead>
                  <tr>
                    <th>{t.common.name}</th>
                    <th>{t.projects.applications}</th>
                    <th className="wide-only">{t.common.owner}</th>
                    <th className="number wide-only">{t.projects.pipelines}</th>
                    <th className="number">{t.applications.changed}</th>
                  </tr>
                </thead>
                <LongList as="tbody" items={shown} keyOf={(one) => one.id} guess={37}>
                  {(one) => (
                    <tr data-project={one.name}>
                      <td>
                        <Link className="strong" to="/projects/$project" params={{ project: one.name }}>
                          <bdi>{one.name}</bdi>
                        </Link>
                      </td>
                      <td className="soft">
                        <bdi>{one.applications.join(', ')}</bdi>
                      </td>
                      <td className="soft wide-only">
                        <bdi>{one.email}</bdi>
                      </td>
                      <td className="number soft wide-only">{one.pipelines.length}</td>
                      <td className="number soft">
                        <Ago at={one.updated} />
                      </td>
                    </tr>
                  )}
                </LongList>
              </table>
              <p className="faint small section">{t.common.shown(shown.length, all.length)}</p>
            </>
          );
        }}
      </Answered>
      {edit === 'new' && projects.data !== undefined && <ProjectDialog project={NEW} all={projects.data} onClose={() => void navigate({ search: filter })} onSaved={(name) => navigate({ to: '/projects/$project', params: { project: name } })} />}
    </div>
  );
}
