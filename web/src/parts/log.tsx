// A live log: numbered lines, a search that keeps what matches, and a foot that follows until one scrolls away from it.

import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Log } from '../api/overview';
import { useTexts } from '../texts';
import { bare, pieces } from './ansi';
import './log.css';

export function LogView({ log }: { log: Log }) {
  const t = useTexts();
  const [search, setSearch] = useState('');
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const wanted = search.trim().toLowerCase();
  const shown = useMemo(() => (wanted === '' ? log.lines : log.lines.filter((line) => bare(line.text).toLowerCase().includes(wanted))), [log, wanted]);

  useLayoutEffect(() => {
    if (follow && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, shown]);

  const scrolled = () => {
    const at = box.current;
    if (at !== null) setFollow(at.scrollHeight - at.scrollTop - at.clientHeight < 24);
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
        {shown.map((line) => (
          <div key={line.seq} className="log-line">
            <span className="log-number">{line.seq + 1}</span>
            <span className="log-text">
              {pieces(line.text).map((piece, at) => (
                <span key={at} className={piece.look}>
                  {piece.text}
                </span>
              ))}
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}
