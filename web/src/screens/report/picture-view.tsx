// The picture of a deployment: requests per second stacked by server group with the steps as marks, latencies and failures below on the same axis.

import { memo, useLayoutEffect, useRef, useState, type PointerEvent } from 'react';
import type { BalancerPart, Report } from '../../api/report';
import { offset, SECOND, timeTicks } from '../../parts/axis';
import { wordOf } from '../../parts/word';
import { useTexts } from '../../texts';
import { FailureStrip, LatencyPart } from './lower-parts';
import { areaPath, layersOf, marksOf, numbersText, ticks } from './picture';
import { fillOf, Patterns } from './roles';

/** Where the parts stand, from above. */
const PLACES = { marks: 4, markRow: 18, rows: 3, traffic: 86, trafficHeight: 200, latency: 332, latencyHeight: 92, failures: 464, failuresHeight: 18, foot: 502, height: 512 };
const LEFT = 52;
const RIGHT = 10;

interface Measured {
  report: Report;
  balancer: BalancerPart;
  seconds: number[];
}

interface Props extends Measured {
  chosen: number | undefined;
  onHover: (index: number | undefined) => void;
  onChoose: (index: number | undefined) => void;
}

export function Picture({ report, balancer, seconds, chosen, onHover, onChoose }: Props) {
  const t = useTexts();
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const watcher = new ResizeObserver(() => setWidth(element.clientWidth));
    setWidth(element.clientWidth);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);

  const plot = Math.max(80, width - LEFT - RIGHT);
  const indexAt = (event: PointerEvent<SVGSVGElement>) => {
    const inside = event.clientX - event.currentTarget.getBoundingClientRect().left - LEFT;
    const index = Math.floor((inside / plot) * seconds.length);
    return index >= 0 && index < seconds.length ? index : undefined;
  };
  const told = balancer.groups.map((group) => `${group.name} (${wordOf(t.report.role, group.role) ?? t.report.role.other}): ${group.requests}`).join(', ');

  return (
    <div className="report-picture" ref={box}>
      {width > 0 && (
        <svg
          width={width}
          height={PLACES.height}
          role="img"
          aria-label={t.report.picture(t.report.failed(report.total.failures, report.total.requests), told)}
          onPointerMove={(event) => onHover(indexAt(event))}
          onPointerLeave={() => onHover(undefined)}
          onClick={() => onChoose(chosen)}
        >
          <Drawn report={report} balancer={balancer} seconds={seconds} plot={plot} />
          {chosen !== undefined && (
            <rect
              x={LEFT + (plot * chosen) / seconds.length}
              y={PLACES.traffic - 4}
              width={Math.max(1, plot / seconds.length)}
              height={PLACES.failures + PLACES.failuresHeight - PLACES.traffic + 4}
              className="pic-chosen"
            />
          )}
        </svg>
      )}
    </div>
  );
}

/** Everything but the chosen second: drawn again only when the numbers or the width change. */
const Drawn = memo(function Drawn({ report, balancer, seconds, plot }: Measured & { plot: number }) {
  const t = useTexts();
  const from = seconds[0] ?? 0;
  const x = (index: number) => LEFT + (plot * index) / seconds.length;
  const xAt = (at: number) => x((at - from) / SECOND);
  const layers = layersOf(balancer.groups, seconds);
  const greatest = layers[layers.length - 1]?.edges.reduce((most, [, high]) => Math.max(most, high), 0) ?? 0;
  const levels = ticks(greatest, 4);
  const top = levels[levels.length - 1] ?? 1;
  const y = (value: number) => PLACES.traffic + PLACES.trafficHeight * (1 - value / top);
  const zero = report.startTime ?? from;
  const marks = marksOf(report.steps, xAt, LEFT + plot, PLACES.rows);
  const lower = { seconds, x, left: LEFT, right: LEFT + plot };
  return (
    <>
      <Patterns />
      {levels.map((level) => (
        <g key={level}>
          <path d={`M${LEFT} ${y(level)}H${LEFT + plot}`} className={level === 0 ? 'pic-axis' : 'pic-grid'} />
          <text x={LEFT - 8} y={y(level) + 4} textAnchor="end" className="pic-number">
            {level.toLocaleString()}
          </text>
        </g>
      ))}
      {layers.map(({ group, edges }) => (
        <path key={group.name} d={areaPath(edges, x, y)} fill={fillOf(group.role)} className="pic-layer" data-layer={group.name} />
      ))}
      {marks.map((mark) => (
        <path key={mark.x} d={`M${mark.x} ${PLACES.marks + mark.row * PLACES.markRow + 14}V${PLACES.failures}`} className="pic-mark-line" />
      ))}
      <LatencyPart {...lower} groups={balancer.groups} place={PLACES.latency} height={PLACES.latencyHeight} />
      <FailureStrip {...lower} balancer={balancer} place={PLACES.failures} height={PLACES.failuresHeight} />
      <text x={LEFT} y={PLACES.traffic - 12} className="pic-title">
        {t.report.perSecond}
      </text>
      {marks.map((mark) => (
        <text key={mark.x} x={mark.x} y={PLACES.marks + mark.row * PLACES.markRow + 11} className="pic-mark-text">
          <tspan className="pic-mark-number">{numbersText(mark.numbers)}</tspan>
          {mark.words && ` ${mark.text}`}
        </text>
      ))}
      {timeTicks({ from, to: from + seconds.length * SECOND }, zero, Math.max(2, Math.floor(plot / 64))).map((at) => (
        <text key={at} x={xAt(at)} y={PLACES.foot} textAnchor="middle" className="pic-number">
          {offset(at - zero, t)}
        </text>
      ))}
    </>
  );
});
