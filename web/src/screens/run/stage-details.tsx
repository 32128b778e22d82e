// The selected stage: why it is as it is, its tasks, its log, its data; and the buttons of a judgment that waits.

import { useQuery } from '@tanstack/react-query';
import { innerStages, isOpenJudgment, isOver, waitingOf, type Execution, type Stage } from '../../api/execution';
import { list, map, text } from '../../api/read';
import { logQuery } from '../../api/queries';
import { Answered } from '../../parts/answers';
import { DataTable } from '../../parts/data';
import { LogView } from '../../parts/log';
import { Mark } from '../../parts/mark';
import { whyOf } from '../../parts/reason';
import { ofStage, plain } from '../../parts/status';
import { Ago, Took } from '../../parts/when';
import { exact } from '../../parts/time';
import { useLanguage, useTexts } from '../../texts';
import { StageActs } from './acts';
import { ExpressionsTab } from './expressions-tab';
import { Judgment } from './judgment';
import { TABS, type Tab } from './views';

interface Props {
  run: Execution;
  stage: Stage;
  tab: Tab;
  onTab: (tab: Tab) => void;
  onStage: (id: string) => void;
}

export function StageDetails({ run, stage, tab, onTab, onStage }: Props) {
  const t = useTexts();
  return (
    <section className="details" aria-label={t.run.details} data-stage={stage.name}>
      <header className="details-head">
        <h2>
          <bdi>{stage.name}</bdi>
        </h2>
        <span className="faint small">{stage.type}</span>
        <div className="details-tabs" role="group" aria-label={t.run.details}>
          {TABS.map((one) => (
            <button key={one} type="button" className="tab-button" aria-pressed={one === tab} onClick={() => onTab(one)}>
              {one === 'expressions' ? t.runMore.expressions : t.run[one]}
            </button>
          ))}
        </div>
      </header>
      {tab === 'summary' && <Summary run={run} stage={stage} onStage={onStage} />}
      {tab === 'expressions' && <ExpressionsTab run={run} stage={stage} />}
      {tab === 'tasks' && <Tasks run={run} stage={stage} />}
      {tab === 'log' && <StageLog run={run} stage={stage} />}
      {tab === 'data' && (
        <div className="details-data">
          <h3>{t.run.outputs}</h3>
          <DataTable data={stage.outputs} />
          <h3>{t.run.context}</h3>
          <DataTable data={stage.context} />
        </div>
      )}
    </section>
  );
}

function Summary({ run, stage, onStage }: { run: Execution; stage: Stage; onStage: (id: string) => void }) {
  const t = useTexts();
  const said = ofStage(run, stage, t);
  const inner = innerStages(run, stage);
  return (
    <div className="summary">
      <div>
        <p className={`why tone-edge-${said.tone}`} data-why>
          <bdi>{whyOf(run, stage, t)}</bdi>
        </p>
        <StageActs run={run} stage={stage} />
        {isOpenJudgment(stage) && <Judgment key={stage.id} run={run} stage={stage} />}
        {!isOpenJudgment(stage) && <Facts run={run} stage={stage} />}
      </div>
      {inner.length > 0 && (
        <div>
          <h3>{t.run.part}</h3>
          <ul className="inner-list">
            {inner.map((one) => (
              <li key={one.id}>
                <button type="button" className="stage-open" onClick={() => onStage(one.id)}>
                  <bdi>{one.name}</bdi>
                </button>
                <Mark said={ofStage(run, one, t)} />
                <span className="faint small">
                  <Took from={one.startTime} to={one.endTime} />
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function Facts({ run, stage }: { run: Execution; stage: Stage }) {
  const t = useTexts();
  const until = waitingOf(run, stage)?.until;
  const deployed = deployedGroups(stage);
  return (
    <dl className="facts">
      <dt>{t.common.status}</dt>
      <dd>
        <Mark said={ofStage(run, stage, t)} />
      </dd>
      <dt>{t.time.started}</dt>
      <dd>
        <Ago at={stage.startTime} />
      </dd>
      <dt>{t.time.duration}</dt>
      <dd>
        <Took from={stage.startTime} to={stage.endTime} />
      </dd>
      {until !== undefined && (
        <>
          <dt>{t.time.until}</dt>
          <dd>
            <Until at={until} />
          </dd>
        </>
      )}
      {deployed.length > 0 && (
        <>
          <dt>{t.run.deployed}</dt>
          <dd>
            <bdi>{deployed.join(', ')}</bdi>
          </dd>
        </>
      )}
    </dl>
  );
}

function Until({ at }: { at: number }) {
  const { language } = useLanguage();
  return <time dateTime={new Date(at).toISOString()}>{exact(at, language)}</time>;
}

function deployedGroups(stage: Stage): string[] {
  const byRegion = Object.values(map(stage.context['deploy.server.groups'])).flatMap((names) => list(names).map((name) => text(name)));
  return [...new Set(byRegion.filter((name) => name !== ''))];
}

function Tasks({ run, stage }: { run: Execution; stage: Stage }) {
  const t = useTexts();
  const rows = [stage, ...innerStages(run, stage)].flatMap((owner) => owner.tasks.map((task) => ({ owner, task })));
  if (rows.length === 0) return <p className="faint small">{t.run.noTasks}</p>;
  return (
    <table className="rows">
      <thead>
        <tr>
          <th>{t.run.task}</th>
          <th>{t.common.status}</th>
          <th className="wide-only">{t.run.why}</th>
          <th className="number">{t.time.duration}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ owner, task }) => (
          <tr key={`${owner.id} ${task.id}`}>
            <td>
              <bdi>{task.name}</bdi>
              {owner.id !== stage.id && <span className="faint small"> · {owner.name}</span>}
            </td>
            <td>
              <Mark said={task.waiting !== undefined && !isOver(task.status) ? { tone: 'waiting', word: t.status.waiting } : plain(task.status, t)} />
            </td>
            <td className="soft small wide-only">{isOver(task.status) ? '' : task.waiting?.reason}</td>
            <td className="number soft small">
              <Took from={task.startTime} to={task.endTime} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function StageLog({ run, stage }: { run: Execution; stage: Stage }) {
  const log = useQuery(logQuery(run.id, stage.id));
  return <Answered query={log}>{(found) => <LogView log={found} />}</Answered>;
}
