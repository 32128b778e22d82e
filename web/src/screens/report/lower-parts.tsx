// The lower parts of the picture: latencies on a scale of tens, and the failures, a strip that stays empty when nothing failed.

import type { BalancerPart, GroupPart } from '../../api/report';
import { useTexts } from '../../texts';
import { bySecond, decades, failuresBySecond, linePath, stacked } from './picture';
import { lineOf } from './roles';
import { latency } from './words';

interface Place {
  seconds: number[];
  x: (index: number) => number;
  left: number;
  right: number;
  place: number;
  height: number;
}

export function LatencyPart({ groups, seconds, x, left, right, place, height }: Place & { groups: GroupPart[] }) {
  const t = useTexts();
  const all = groups.flatMap((group) => group.seconds.flatMap((second) => [second.p50, second.p99]));
  if (!all.some((value) => value > 0)) return null;
  const levels = decades(all);
  const [low, high] = [Math.log10(levels[0] ?? 1), Math.log10(levels[levels.length - 1] ?? 10)];
  const y = (value: number) => place + height * (1 - (Math.log10(Math.max(value, 1)) - low) / (high - low));
  return (
    <g>
      <text x={left} y={place - 10} className="pic-title">
        {t.report.latency}
      </text>
      {levels.map((level) => (
        <g key={level}>
          <path d={`M${left} ${y(level)}H${right}`} className="pic-grid" />
          <text x={left - 8} y={y(level) + 4} textAnchor="end" className="pic-number">
            {latency(level)}
          </text>
        </g>
      ))}
      {stacked(groups).map((group) => {
        const own = bySecond(seconds, group.seconds);
        const of = (get: 'p50' | 'p99') => own.map((second) => (second === undefined || second[get] <= 0 ? undefined : second[get]));
        return (
          <g key={group.name} stroke={lineOf(group.role)} className="pic-latency">
            <path d={linePath(of('p50'), x, y)} />
            <path d={linePath(of('p99'), x, y)} className="pic-p99" />
          </g>
        );
      })}
    </g>
  );
}

export function FailureStrip({ balancer, seconds, x, left, right, place, height }: Place & { balancer: BalancerPart }) {
  const t = useTexts();
  const failures = failuresBySecond(balancer, seconds);
  const most = failures.reduce((a, b) => Math.max(a, b), 0);
  return (
    <g data-failures={failures.reduce((sum, one) => sum + one, 0)}>
      <text x={left} y={place - 10} className="pic-title">
        {t.report.failureStrip}
        {most === 0 && `: ${t.report.noFailure}`}
      </text>
      <rect x={left} y={place} width={right - left} height={height} className="pic-strip" />
      {failures.map((count, at) => {
        if (count === 0) return null;
        // One failure among thousands has to be seen as well.
        const tall = Math.max(5, (height * count) / most);
        return <rect key={seconds[at]} x={x(at)} y={place + height - tall} width={Math.max(2, x(at + 1) - x(at))} height={tall} className="pic-failure" />;
      })}
    </g>
  );
}
