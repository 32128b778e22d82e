// Activity: everything that happened, newest first, by person, object, kind, result and day; all filters are in the address.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { tasksOfAllQuery } from '../../api/activity';
import { pipelineNamesQuery } from '../../api/projects';
import { applicationsQuery, operationsQuery } from '../../api/queries';
import { newestRunsQuery } from '../../api/search';
import { Answered } from '../../parts/answers';
import { chosenZone, useZone } from '../../parts/zone';
import { useLanguage } from '../../texts';
import { NOBODYS, happenings } from './events';
import { byDay, csv, people, shownOf, type Filter } from './filter';
import { FilterBar } from './filter-bar';
import { DayRows } from './rows';
import '../../parts/form.css';
import './activity.css';

const route = getRouteApi('/activity');

/** How far back: runs of all pipelines, and applications whose tasks are asked for. */
const RUNS = 500;
const APPLICATIONS = 40;
const PAGE = 100;

export function ActivityScreen() {
  const { t, language } = useLanguage();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const zone = useZone();
  const applications = useQuery(applicationsQuery());
  const pipelines = useQuery(pipelineNamesQuery());
  const runs = useQuery(newestRunsQuery(RUNS));
  const operations = useQuery(operationsQuery());
  const newest = useMemo(() => [...(applications.data ?? [])].sort((a, b) => (b.updated ?? 0) - (a.updated ?? 0)).map((one) => one.name), [applications.data]);
  const asked = useMemo(() => (applications.data === undefined ? [] : [NOBODYS, ...newest.slice(0, APPLICATIONS).sort()]), [applications.data, newest]);
  const tasks = useQuery({ ...tasksOfAllQuery(asked), placeholderData: keepPreviousData });
  const all = useMemo(() => {
    const saved = [
      ...(pipelines.data ?? []).map((one) => ({ application: one.application, pipeline: one.name, at: one.updated, who: one.by })),
      ...(applications.data ?? []).map((one) => ({ application: one.name, pipeline: '', at: one.updated, who: one.by })),
    ];
    return happenings({ runs: runs.data ?? [], tasks: tasks.data ?? [], operations: operations.data ?? [], saved: tasks.data === undefined ? [] : saved }, t);
  }, [runs.data, tasks.data, operations.data, pipelines.data, applications.data, t]);

  const { page: pageText, ...filter } = search;
  const found = shownOf(all, filter, chosenZone());
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const page = Math.min(pages, Math.max(1, Number(pageText) || 1));
  const turn = (to: number) => void navigate({ search: { ...search, page: String(to) } });
  const set = (next: Filter) => void navigate({ search: next as typeof search, replace: true });
  return (
    <div className="screen activity" data-zone={zone}>
      <div className="screen-head">
        <h1 className="grow">{t.rail.activity}</h1>
        <button type="button" className="button" disabled={found.length === 0} onClick={() => download(csv(found, t))} data-csv>
          {t.activity.csv}
        </button>
      </div>
      <FilterBar filter={filter} people={people(all)} onChange={set} />
      <Answered query={runs}>
        {() => (
          <>
            {newest.length > APPLICATIONS && <p className="small soft activity-cut">{t.activity.cut(APPLICATIONS, newest.length)}</p>}
            {tasks.error !== null && <p className="small tone-bad" role="alert">{t.common.failed(tasks.error.message)}</p>}
            {operations.error !== null && <p className="small tone-bad" role="alert">{t.common.failed(operations.error.message)}</p>}
            {found.length === 0 && tasks.data !== undefined && <p className="notice soft">{all.length === 0 ? t.activity.empty : t.activity.none}</p>}
            {found.length > 0 && (
              <table className="rows activity-table">
                <thead>
                  <tr>
                    <th>{t.activity.time}</th>
                    <th>{t.activity.who}</th>
                    <th>{t.activity.what}</th>
                    <th className="wide-only">{t.activity.object}</th>
                    <th>{t.activity.result}</th>
                  </tr>
                </thead>
                {byDay(found.slice((page - 1) * PAGE, page * PAGE), language).map(({ day, happenings: own }) => (
                  <DayRows key={day} day={day} happenings={own} onWho={(who) => set({ ...filter, who })} />
                ))}
              </table>
            )}
            <div className="activity-pages">
              <span className="faint small grow" role="status" data-found={found.length}>
                {t.common.shown(found.length, all.length)}
              </span>
              {pages > 1 && (
                <>
                  <button type="button" className="button" disabled={page === 1} onClick={() => turn(page - 1)}>
                    {t.activity.newer}
                  </button>
                  <span className="small soft">{t.activity.page(page, pages)}</span>
                  <button type="button" className="button" disabled={page === pages} onClick={() => turn(page + 1)}>
                    {t.activity.older}
                  </button>
                </>
              )}
            </div>
          </>
        )}
      </Answered>
    </div>
  );
}

/** Hands a file to the browser. */
function download(text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `activity-${new Date().toISOString().slice(0, 10)}.csv`;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
