// The thin bar on top: where I am, the parts of the application, the state of the stream, language and theme.

import { Link, useLocation, useParams } from '@tanstack/react-router';
import { Fragment, useEffect, useRef } from 'react';
import { languageNames, languages, useLanguage, useTexts, type Language } from '../texts';
import { Draw } from '../parts/icons';
import { Finder } from './finder';
import { useStream } from './live';
import { THEMES, useTheme } from './theme';

export function TopBar() {
  const { application } = useParams({ strict: false });
  const t = useTexts();
  return (
    <header className="topbar">
      <div className="where">
        {application !== undefined && (
          <Fragment>
            <Link to="/applications" className="soft wide-only">
              {t.rail.applications}
            </Link>
            <span className="faint wide-only">/</span>
            <Link to="/applications/$application/clusters" params={{ application }} className="strong cut where-name">
              <bdi>{application}</bdi>
            </Link>
            <Tabs application={application} />
          </Fragment>
        )}
      </div>
      <Finder />
      <StreamState />
      <Choices />
    </header>
  );
}

function Tabs({ application }: { application: string }) {
  const t = useTexts();
  // A run belongs to its pipelines.
  const path = useLocation({ select: (location) => location.pathname });
  const inRun = path.includes('/runs/');
  const nav = useRef<HTMLElement>(null);
  // On a small screen the tabs scroll: the one of this screen is in view.
  useEffect(() => {
    nav.current?.querySelector('.here')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [path]);
  const tabs = [
    ['/applications/$application/pipelines', t.tabs.pipelines],
    ['/applications/$application/clusters', t.tabs.clusters],
    ['/applications/$application/load-balancers', t.tabs.loadBalancers],
    ['/applications/$application/firewalls', t.firewalls.tab],
    ['/applications/$application/tasks', t.tabs.tasks],
    ['/applications/$application/config', t.tabs.config],
  ] as const;
  return (
    <nav ref={nav} className="tabs" aria-label={t.tabs.of(application)}>
      {tabs.map(([to, word]) => (
        <Link key={to} to={to} params={{ application }} className={inRun && word === t.tabs.pipelines ? 'tab here' : 'tab'} activeProps={{ className: 'tab here', 'aria-current': 'page' }}>
          {word}
        </Link>
      ))}
    </nav>
  );
}

function StreamState() {
  const t = useTexts();
  const { state } = useStream();
  const long = state === 'live' ? t.stream.liveLong : state === 'connecting' ? t.stream.connectingLong : undefined;
  return (
    <span className={`stream stream-${state}`} title={long} data-stream={state}>
      <span className="stream-dot" />
      <span className="stream-word">{t.stream[state]}</span>
    </span>
  );
}

function Choices() {
  const { language, t, speak } = useLanguage();
  const [theme, setTheme] = useTheme();
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
  return (
    <div className="choices">
      <select className="choice" value={language} aria-label={t.settings.language} onChange={(event) => speak(event.target.value as Language)}>
        {(Object.keys(languages) as Language[]).map((one) => (
          <option key={one} value={one} lang={one}>
            {languageNames[one]}
          </option>
        ))}
      </select>
      <button type="button" className="choice" onClick={() => setTheme(next)} title={`${t.settings.theme}: ${t.settings[theme]}`} aria-label={`${t.settings.theme}: ${t.settings[theme]}`}>
        <Draw what="theme" />
      </button>
    </div>
  );
}
