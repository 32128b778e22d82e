// A live log: numbered lines, a search that keeps what matches, and a foot that follows until one scrolls away from it.

import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Log, LogLine } from '../api/overview';
import { useTexts } from '../texts';
import { bare, pieces } from './ansi';
import { LongList } from './long-list';
import './log.css';

/** The height of a line that is not broken, as log.css has it, and so many lines are in the document as a whole. */
const LINE = 18;
const WHOLE = 400;

export function LogView({ log }: { log: Log }) {
  const t = useTexts();
  const [search, setSearch] = useState('');
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const wanted = search.trim().toLowerCase();
  const shown = useMemo(() => (wanted === '' ? log.lines : log.lines.filter((line) => bare(line.text).toLowerCase().includes(wanted))), [log, wanted]);

  const before = useRef(0);

  useLayoutEffect(() => {
    if (follow && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, shown]);
  // Lines that are drawn only at the foot may be higher than was thought: then the foot is further down.
  useEffect(() => {
    const element = box.current;
    if (!follow || element === null) return undefined;
    const watcher = new ResizeObserver(() => {
      element.scrollTop = element.scrollHeight;
    });
    for (const child of element.children) watcher.observe(child);
    return () => watcher.disconnect();
  }, [follow, shown]);

  // Who scrolls up does not follow any more; who comes back to the foot does.
  const scrolled = () => {
    const at = box.current;
    if (at === null) return;
    const foot = at.scrollHeight - at.scrollTop - at.clientHeight < 24;
    if (foot || at.scrollTop < before.current) setFollow(foot);
    before.current = at.scrollTop;
  };

  return (
    <div className="log">
      <div className="log-bar">
        <input className="field" type="search" value={search} placeholder={t.run.search} aria-label={t.run.search} onChange={(event) => setSearch(event.target.value)} />
        <span className="faint small grow">{t.run.lines(shown.length)}</span>
        <label className="row small">
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} />
          {t.run.follow}
        </label>
      </div>
      <div className="log-lines" ref={box} onScroll={scrolled} tabIndex={0} role="log" aria-label={t.run.log}>
        {log.cut && <p className="faint">{t.run.logCut}</p>}
        {log.lines.length === 0 && <p className="faint">{t.run.noLog}</p>}
        <LongList items={shown} keyOf={(line) => String(line.seq)} guess={LINE} short={WHOLE} walked={false}>
          {(line) => <Line line={line} />}
        </LongList>
      </div>
    </div>
  );
}

const Line = memo(function Line({ line }: { line: LogLine }) {
  return (
    <div className="log-line">
      <span className="log-number">{line.seq + 1}</span>
      <span className="log-text">
        {pieces(line.text).map((piece, at) => (
          <span key={at} className={piece.look}>
            {piece.text}
          </span>
        ))}
      </span>
    </div>
  );
});
