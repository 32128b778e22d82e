// Activity: everything that happened, newest first, by person, object, kind, result and day; all filters are in the address.

import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { activityQuery, allActivity } from '../../api/activity';
import { Answered } from '../../parts/answers';
import { useLater } from '../../parts/later';
import { chosenZone, useZone } from '../../parts/zone';
import { useLanguage } from '../../texts';
import { happening, type Happening } from './events';
import { byDay, csv, people, wantedOf, type Filter } from './filter';
import { FilterBar } from './filter-bar';
import { DayRows } from './rows';
import '../../parts/form.css';
import './activity.css';

const route = getRouteApi('/activity');

/** The most entries of a file. */
const FILE = 20_000;

export function ActivityScreen() {
  const { t, language } = useLanguage();
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const zone = useZone();
  const set = (next: Filter) => void navigate({ search: next as typeof filter, replace: true });
  const asked = useLater(filter, 200);
  const wanted = useMemo(() => wantedOf(asked, chosenZone()), [asked, zone]);
  const pieces = useInfiniteQuery(activityQuery(wanted));
  const found = useMemo(() => (pieces.data?.pages ?? []).flatMap((piece) => piece.entries.flatMap((entry) => happening(entry, t) ?? [])), [pieces.data, t]);
  const file = useMutation({
    mutationFn: () => allActivity(wanted, FILE),
    onSuccess: (entries) => download(csv(entries.flatMap((entry) => happening(entry, t) ?? []), t)),
  });
  const isAll = Object.values(filter).every((one) => one === undefined);
  return (
    <div className="screen activity" data-zone={zone}>
      <div className="screen-head">
        <h1 className="grow">{t.rail.activity}</h1>
        <button type="button" className="button" disabled={found.length === 0 || file.isPending} onClick={() => file.mutate()} data-csv>
          {t.activity.csv}
        </button>
      </div>
      {file.error !== null && <p className="small tone-bad" role="alert">{t.common.failed(file.error.message)}</p>}
      <FilterBar filter={filter} people={people(found)} onChange={set} />
      <Answered query={pieces}>
        {() => (
          <>
            {found.length === 0 && !pieces.hasNextPage && <p className="notice soft">{isAll ? t.activity.empty : t.activity.none}</p>}
            {found.length > 0 && <Table happenings={found} language={language} onWho={(who) => set({ ...filter, who })} />}
            <div className="activity-pages">
              <span className="faint small grow" role="status" data-found={found.length}>
                {pieces.hasNextPage ? t.activity.soFar(found.length) : t.activity.altogether(found.length)}
              </span>
              {pieces.hasNextPage && (
                <button type="button" className="button" disabled={pieces.isFetchingNextPage} onClick={() => void pieces.fetchNextPage()} data-older>
                  {t.activity.older}
                </button>
              )}
            </div>
          </>
        )}
      </Answered>
    </div>
  );
}

function Table({ happenings, language, onWho }: { happenings: Happening[]; language: 'en' | 'ko'; onWho: (who: string) => void }) {
  const { t } = useLanguage();
  return (
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
      {byDay(happenings, language).map(({ day, happenings: own }) => (
        <DayRows key={day} day={day} happenings={own} onWho={onWho} />
      ))}
    </table>
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
