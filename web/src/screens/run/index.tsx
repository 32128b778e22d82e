// One run: the same stages as a graph, on a time axis or as a table, and the selected stage below. Lens, stage and tab are in the address.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { runQuery } from '../../api/queries';
import { isOver, openJudgments, topStages, type Execution } from '../../api/execution';
import { Answered } from '../../parts/answers';
import { Draw } from '../../parts/icons';
import { Mark } from '../../parts/mark';
import { failure } from '../../parts/reason';
import { startedBy } from '../../parts/started';
import { ofRun } from '../../parts/status';
import { Ago, Took } from '../../parts/when';
import { useTexts } from '../../texts';
import { RunActs } from './acts';
import { CancelDialog } from './cancel';
import { RunGraph } from './run-graph';
import { StageDetails } from './stage-details';
import { StageTable } from './stage-table';
import { ToldPart } from './told-part';
import { TimelineView } from './timeline-view';
import { useLensKeys } from './keys';
import { KEYS, LENSES, type Lens, type Tab } from './views';
import './run.css';
import './timeline.css';

const route = getRouteApi('/applications/$application/runs/$run');

const SEEN = { graph: RunGraph, timeline: TimelineView, table: StageTable };

export function RunScreen() {
  const { run: id } = route.useParams();
  const run = useQuery(runQuery(id));
  return (
    <div className="screen">
      <Answered query={run}>{(found) => <Shown run={found} />}</Answered>
    </div>
  );
}

function Shown({ run }: { run: Execution }) {
  const t = useTexts();
  const { lens = 'graph', stage, tab = 'summary', cancel } = route.useSearch();
  const navigate = route.useNavigate();
  const show = (next: { lens?: Lens; stage?: string; tab?: Tab; cancel?: boolean }) =>
    void navigate({ search: (was) => ({ ...was, ...next }), replace: next.cancel !== true });
  const chosen = run.stages.find((one) => one.id === stage) ?? first(run);
  const Seen = SEEN[lens];
  useLensKeys((next) => show({ lens: next }));
  return (
    <>
      <header className="screen-head run-head">
        <h1>
          <Link to="/applications/$application/pipelines" params={{ application: run.application }} search={{ pipeline: run.name }}>
            <bdi>{run.name}</bdi>
          </Link>
        </h1>
        <span data-run-status={run.status}>
          <Mark said={ofRun(run, t)} />
        </span>
        <span className="soft small">
          <bdi>{startedBy(run.trigger, run.user, t)}</bdi> · <Ago at={run.startTime ?? run.buildTime} /> · <Took from={run.startTime} to={run.endTime} />
        </span>
        <span className="grow" />
        <div className="lenses" role="group" aria-label={t.run.lens}>
          {LENSES.map((one) => (
            <button key={one} type="button" className="lens" aria-pressed={one === lens} aria-keyshortcuts={KEYS[one]} onClick={() => show({ lens: one })}>
              {t.run[one]}
              <kbd aria-hidden="true">{KEYS[one]}</kbd>
            </button>
          ))}
        </div>
        <RunActs run={run} />
        {!isOver(run.status) && (
          <button type="button" className="button danger" onClick={() => show({ cancel: true })}>
            <Draw what="stop" />
            {t.run.cancelRun}
          </button>
        )}
      </header>
      <Seen run={run} selected={chosen?.id} onSelect={(id) => show({ stage: id })} />
      {chosen !== undefined && <StageDetails run={run} stage={chosen} tab={tab} onTab={(next) => show({ stage: chosen.id, tab: next })} onStage={(id) => show({ stage: id })} />}
      <ToldPart run={run} />
      {cancel === true && <CancelDialog run={run} onClose={() => show({ cancel: undefined } as never)} />}
    </>
  );
}

/** The stage to look at when none is chosen: what needs me, else what failed, else what runs, else the last that ended. */
function first(run: Execution) {
  const top = topStages(run);
  const judgment = openJudgments(run)[0];
  return (
    judgment ??
    top.find((stage) => stage.status === 'TERMINAL' && failure(run, stage) !== undefined) ??
    top.find((stage) => stage.status === 'RUNNING' || stage.status === 'PAUSED') ??
    top.filter((stage) => isOver(stage.status) && stage.status !== 'SKIPPED').sort((a, b) => (b.endTime ?? 0) - (a.endTime ?? 0))[0] ??
    top[0]
  );
}
