// The frame around every screen: the rail, the top bar, and the sentence that says when what is shown may be old.

import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTexts } from '../texts';
import { Draw, Sail, type Drawing } from '../parts/icons';
import { lookAtLists } from '../parts/long-list';
import { stepOf, walkRows } from '../parts/rows';
import { clock } from '../parts/time';
import { useStream } from './live';
import { useTeamZone } from './team-zone';
import { TopBar } from './topbar';
import './frame.css';

const FOLDED = 'gennaker.rail';

export function Frame() {
  const t = useTexts();
  const stream = useStream();
  useTeamZone();
  const [folded, setFolded] = useState(() => localStorage.getItem(FOLDED) === 'folded');
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const step = document.querySelector('dialog[open]') === null ? stepOf(event) : undefined;
      if (step !== undefined && walkRows(step, lookAtLists)) event.preventDefault();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
  const fold = () => {
    localStorage.setItem(FOLDED, folded ? '' : 'folded');
    setFolded(!folded);
  };
  return (
    <div className={folded ? 'frame folded' : 'frame'}>
      <nav className="rail" aria-label={t.rail.main}>
        <Link to="/" className="brand">
          <Sail />
          <span className="rail-word">{t.name}</span>
        </Link>
        <RailLink to="/" drawing="home" word={t.rail.home} />
        <RailLink to="/applications" drawing="applications" word={t.rail.applications} />
        <RailLink to="/projects" drawing="projects" word={t.rail.projects} />
        <RailLink to="/repositories" drawing="repositories" word={t.rail.repositories} />
        <RailLink to="/provenance" drawing="provenance" word={t.rail.provenance} />
        <RailLink to="/activity" drawing="activity" word={t.rail.activity} />
        <RailLink to="/settings" drawing="settings" word={t.rail.settings} />
        <button type="button" className="rail-link rail-fold" onClick={fold} title={folded ? t.rail.unfold : t.rail.fold} aria-label={folded ? t.rail.unfold : t.rail.fold}>
          <Draw what="fold" />
        </button>
      </nav>
      <div className="column">
        <TopBar />
        {stream.state === 'cut' && (
          <p className="cut-notice" role="status">
            {t.stream.cutSince(clock(stream.since))}
          </p>
        )}
        <main className={stream.state === 'cut' ? 'main stale' : 'main'}>
          <Outlet />
        </main>
      </div>
    </div>
  );
}

function RailLink({ to, drawing, word }: { to: '/' | '/applications' | '/projects' | '/repositories' | '/provenance' | '/activity' | '/settings'; drawing: Drawing; word: string }) {
  const path = useLocation({ select: (location) => location.pathname });
  const here = to === '/' ? path === '/' : path.startsWith(to);
  return (
    <Link to={to} className={here ? 'rail-link here' : 'rail-link'} aria-current={here ? 'page' : undefined} title={word}>
      <Draw what={drawing} />
      <span className="rail-word">{word}</span>
    </Link>
  );
}
