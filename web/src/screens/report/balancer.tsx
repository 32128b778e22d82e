// One load balancer in a report: the picture, a slider to go through it second by second, and the numbers of the chosen second or of all.

import { getRouteApi } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { BalancerPart, Report } from '../../api/report';
import { offset } from '../../parts/axis';
import { clock } from '../../parts/time';
import { useTexts } from '../../texts';
import { Groups } from './groups';
import { Picture } from './picture-view';
import { secondsOf, spanOf } from './picture';
import { SecondsTable } from './seconds';

const route = getRouteApi('/applications/$application/runs/$run/report');

export function BalancerSection({ report, balancer }: { report: Report; balancer: BalancerPart }) {
  const t = useTexts();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const seconds = useMemo(() => secondsOf(spanOf(report.balancers, report.steps)), [report]);
  const [hovered, setHovered] = useState<number>();
  const zero = report.startTime ?? seconds[0] ?? 0;
  // In the address stands the second counted from the first one: short, and the same for everybody.
  const kept = search.at !== undefined && search.at < seconds.length ? search.at : undefined;
  const index = hovered ?? kept;
  const at = index === undefined ? undefined : seconds[index];
  const choose = (next: number | undefined) => void navigate({ search: next === undefined ? {} : { at: next }, replace: true, resetScroll: false });
  return (
    <section className="section report-balancer" aria-label={t.report.balancer(balancer.name)} data-balancer={balancer.name}>
      <h2>
        <bdi>{t.report.balancer(balancer.name)}</bdi>
        <span className="faint small">{balancer.place}</span>
      </h2>
      <Picture report={report} balancer={balancer} seconds={seconds} chosen={index} onHover={setHovered} onChoose={choose} />
      <div className="row report-moment">
        <label className="row small soft grow">
          {t.report.moment}
          <input
            type="range"
            className="grow"
            min={0}
            max={seconds.length - 1}
            value={kept ?? 0}
            aria-valuetext={kept === undefined ? t.report.whole : t.report.at(offset((seconds[kept] ?? 0) - zero, t), clock(seconds[kept] ?? 0))}
            onChange={(event) => choose(Number(event.target.value))}
          />
        </label>
        <button type="button" className="button" disabled={kept === undefined} onClick={() => choose(undefined)}>
          {t.report.all}
        </button>
      </div>
      <h3 className="report-when">{at === undefined ? t.report.whole : t.report.at(offset(at - zero, t), clock(at))}</h3>
      <Groups balancer={balancer} at={at} />
      <SecondsTable balancer={balancer} seconds={seconds} zero={zero} />
    </section>
  );
}
