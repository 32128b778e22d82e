// Home: what needs me, what is running, what broke; nothing else.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { homeQuery } from '../../api/queries';
import { openJudgments, topStages, isOver, type Execution } from '../../api/execution';
import { Answered, Empty } from '../../parts/answers';
import { Mark } from '../../parts/mark';
import { ofRun } from '../../parts/status';
import { startedBy } from '../../parts/started';
import { whyOf, whyRun } from '../../parts/reason';
import { Ago, Took } from '../../parts/when';
import { useTexts } from '../../texts';
import './home.css';

export function HomeScreen() {
  const t = useTexts();
  const home = useQuery(homeQuery());
  return (
    <div className="screen home">
      <h1 className="hidden-words">{t.rail.home}</h1>
      <Answered query={home}>
        {({ running, broken, applications }) => {
          if (applications === 0 && running.length === 0 && broken.length === 0) return <Empty>{t.home.first}</Empty>;
          const mine = running.filter((run) => openJudgments(run).length > 0);
          const others = running.filter((run) => openJudgments(run).length === 0);
          return (
            <>
              <Part title={t.home.needsMe} runs={mine} none={t.home.nothingNeeds} />
              <Part title={t.home.running} runs={others} none={t.home.nothingRuns} />
              <Part title={t.home.broke} runs={broken} none={t.home.nothingBroke} />
            </>
          );
        }}
      </Answered>
    </div>
  );
}

function Part({ title, runs, none }: { title: string; runs: Execution[]; none: string }) {
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
    </section>
  );
}

function RunLine({ run }: { run: Execution }) {
  const t = useTexts();
  const judgment = openJudgments(run)[0];
  const now = judgment ?? topStages(run).find((stage) => !isOver(stage.status) && stage.status !== 'NOT_STARTED');
  const why = now === undefined ? whyRun(run) : `${now.name}: ${whyOf(run, now, t)}`;
  return (
    <li>
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
        <span className="soft small wide-only">{startedBy(run.trigger, run.user, t)}</span>
        <span className="faint small home-when">{run.endTime === undefined ? <Took from={run.startTime ?? run.buildTime} to={undefined} /> : <Ago at={run.endTime} />}</span>
      </Link>
    </li>
  );
}
