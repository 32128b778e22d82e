// Home: what needs me, what is running, what broke; on an empty server the three ways to begin.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { homeQuery, repositoriesQuery } from '../../api/queries';
import { openJudgments, topStages, isOver, type Execution } from '../../api/execution';
import { Answered } from '../../parts/answers';
import { Mark } from '../../parts/mark';
import { ofRun } from '../../parts/status';
import { startedBy } from '../../parts/started';
import { whyOf, whyRun } from '../../parts/reason';
import { Ago, Took } from '../../parts/when';
import { useTexts } from '../../texts';
import { FirstCards } from './first';
import './home.css';

export function HomeScreen() {
  const t = useTexts();
  const home = useQuery(homeQuery());
  const repositories = useQuery({ ...repositoriesQuery(), enabled: home.data?.applications === 0 });
  return (
    <div className="screen home">
      <h1 className="hidden-words">{t.rail.home}</h1>
      <Answered query={home}>
        {({ running, broken, applications }) => {
          const nothing = applications === 0 && running.length === 0 && broken.length === 0;
          if (nothing && repositories.data === undefined && !repositories.isError) return null;
          if (nothing && !(repositories.data?.repositories ?? []).some((one) => one.packages.length > 0)) return <FirstCards />;
          const mine = running.filter((run) => openJudgments(run).length > 0);
          const others = running.filter((run) => openJudgments(run).length === 0);
          return (
            <>
              <Part title={t.home.needsMe} runs={mine} none={t.first.noneNeeds} />
              <Part title={t.home.running} runs={others} none={t.first.noneRuns} />
              <Part title={t.home.broke} runs={broken} none={t.first.noneBroke}>
                <Link className="word small" to="/activity" search={{ result: 'failed' }}>
                  {broken.length === 0 ? t.first.olderFailures : t.first.failures}
                </Link>
              </Part>
            </>
          );
        }}
      </Answered>
    </div>
  );
}

function Part({ title, runs, none, children }: { title: string; runs: Execution[]; none: string; children?: ReactNode }) {
  return (
    <section className="section">
      <h2>
        {title} {runs.length > 0 && <span className="faint">{runs.length}</span>}
      </h2>
      {runs.length === 0 ? (
        <p className="faint small home-none">{none}</p>
      ) : (
        <ul className="home-list">
          {runs.map((run) => (
            <RunLine key={run.id} run={run} />
          ))}
        </ul>
      )}
      {children !== undefined && <p className="home-more">{children}</p>}
    </section>
  );
}

function RunLine({ run }: { run: Execution }) {
  const t = useTexts();
  const judgment = openJudgments(run)[0];
  const now = judgment ?? topStages(run).find((stage) => !isOver(stage.status) && stage.status !== 'NOT_STARTED');
  const why = now === undefined ? whyRun(run) : `${now.name}: ${whyOf(run, now, t)}`;
  return (
    <li data-row>
      <Link
        className="home-run"
        to="/applications/$application/runs/$run"
        params={{ application: run.application, run: run.id }}
        search={now === undefined ? {} : { stage: now.id }}
      >
        <Mark said={ofRun(run, t)} />
        <span className="home-what">
          <span className="strong">
            <bdi>{run.application}</bdi> · <bdi>{run.name}</bdi>
          </span>
          <span className="soft small cut">{why ?? startedBy(run.trigger, run.user, t)}</span>
        </span>
        <span className="soft small wide-only">{why !== undefined && startedBy(run.trigger, run.user, t)}</span>
        <span className="faint small home-when">{run.endTime === undefined ? <Took from={run.startTime ?? run.buildTime} to={undefined} /> : <Ago at={run.endTime} />}</span>
      </Link>
    </li>
  );
}
