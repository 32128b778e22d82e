// The run on a time axis: a bar for every stage and task, solid where it works, hatched where it waits.

import { useRef, useState } from 'react';
import { isOver, type Execution } from '../../api/execution';
import { offset, timeTicks } from '../../parts/axis';
import { ofStage, plain } from '../../parts/status';
import { clock, duration } from '../../parts/time';
import { useNow } from '../../parts/when';
import { useTexts } from '../../texts';
import { axisOf, heldIn, rowsOf, sums, type Row } from './timeline';

const TICKS = 7;

export function TimelineView({ run, selected, onSelect }: { run: Execution; selected: string | undefined; onSelect: (id: string) => void }) {
  const t = useTexts();
  const present = useNow();
  const now = isOver(run.status) ? (run.endTime ?? present) : present;
  const [tasks, setTasks] = useState(true);
  const list = useRef<HTMLOListElement>(null);
  const axis = axisOf(run, now);
  const length = axis.to - axis.from;
  const percent = (at: number) => `${(100 * Math.min(length, Math.max(0, at - axis.from))) / length}%`;
  const rows = rowsOf(run, now).filter((row) => tasks || row.task === undefined);
  const held = heldIn(run, now).filter((span) => span.to > span.from);

  const walk = (by: number, from: HTMLElement) => {
    const all = [...(list.current?.querySelectorAll<HTMLElement>('.tl-row') ?? [])];
    const next = all[all.indexOf(from) + by];
    next?.focus();
  };

  return (
    <div className="tl" role="group" aria-label={t.runMore.timeline}>
      <div className="tl-head">
        <label className="row small soft tl-label">
          <input type="checkbox" checked={tasks} onChange={(event) => setTasks(event.target.checked)} />
          {t.runMore.showTasks}
        </label>
        <div className="tl-axis" aria-hidden="true">
          {timeTicks(axis, axis.from, TICKS).map((at) => (
            <span key={at} className="tl-tick small" style={{ left: percent(at) }}>
              {offset(at - axis.from, t)}
            </span>
          ))}
        </div>
      </div>
      <ol ref={list} className="tl-rows">
        {rows.map((row) => (
          <li key={row.key}>
            <TimelineRow run={run} row={row} percent={percent} selected={row.task === undefined && row.stage.id === selected} onSelect={() => onSelect(row.stage.id)} onWalk={walk} />
          </li>
        ))}
      </ol>
      <div className="tl-under" aria-hidden="true">
        <div className="tl-axis">
          {timeTicks(axis, axis.from, TICKS).map((at) => (
            <span key={at} className="tl-line" style={{ left: percent(at) }} />
          ))}
          {held.map((span) => (
            <span key={span.from} className="tl-held" style={{ left: percent(span.from), width: `${(100 * (span.to - span.from)) / length}%` }} />
          ))}
        </div>
      </div>
      <p className="tl-key small soft" aria-hidden="true">
        <span className="tl-sample tl-piece" /> {t.runMore.works}
        <span className="tl-sample tl-piece waits" /> {t.runMore.waits}
        {held.length > 0 && (
          <>
            <span className="tl-sample tl-held" /> {t.runMore.heldShort}
          </>
        )}
      </p>
    </div>
  );
}

interface RowProps {
  run: Execution;
  row: Row;
  percent: (at: number) => string;
  selected: boolean;
  onSelect: () => void;
  onWalk: (by: number, from: HTMLElement) => void;
}

function TimelineRow({ run, row, percent, selected, onSelect, onWalk }: RowProps) {
  const t = useTexts();
  const { stage, task, pieces } = row;
  const said = task === undefined ? ofStage(run, stage, t) : plain(task.status, t);
  const spent = sums(pieces);
  const told = pieces.length === 0 ? t.runMore.notBegun : t.runMore.spent(duration(spent.works, t), duration(spent.waits, t));
  const name = task?.name ?? stage.name;
  return (
    <button
      type="button"
      className={`tl-row edge-${said.tone}${task === undefined ? '' : ' tl-task'}`}
      aria-pressed={selected}
      aria-label={`${name}: ${said.word}, ${told}`}
      title={pieces.length === 0 ? told : `${clock(pieces[0]?.from ?? 0)} – ${clock(pieces[pieces.length - 1]?.to ?? 0)} · ${told}`}
      data-row={name}
      onClick={onSelect}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
        event.preventDefault();
        onWalk(event.key === 'ArrowDown' ? 1 : -1, event.currentTarget);
      }}
    >
      <span className="tl-label cut" style={{ paddingLeft: 8 + row.depth * 14 }}>
        <bdi>{name}</bdi>
      </span>
      <span className="tl-axis">
        {pieces.map((piece) => (
          <span key={`${piece.from} ${piece.waits}`} className={piece.waits ? 'tl-piece waits' : 'tl-piece'} style={{ left: percent(piece.from), right: `calc(100% - ${percent(piece.to)})` }} />
        ))}
        {pieces.length > 0 && <Length pieces={pieces} percent={percent} />}
      </span>
    </button>
  );
}

/** How long it was, beside its bar: behind it, or before it where there is no room behind. */
function Length({ pieces, percent }: { pieces: Row['pieces']; percent: (at: number) => string }) {
  const t = useTexts();
  const [from, to] = [pieces[0]?.from ?? 0, pieces[pieces.length - 1]?.to ?? 0];
  const late = parseFloat(percent(to)) > 88;
  const early = parseFloat(percent(from)) > 12;
  const place = !late ? { left: percent(to) } : early ? { right: `calc(100% - ${percent(from)})` } : { right: 0 };
  return (
    <span className={late && !early ? 'tl-long inside' : 'tl-long'} style={place}>
      {duration(to - from, t)}
    </span>
  );
}
