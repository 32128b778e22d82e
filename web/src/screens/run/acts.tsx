// The buttons of a run and of a stage, and the dialog that they open; which one is open stands in the address.

import { getRouteApi, Link } from '@tanstack/react-router';
import { innerStages, isOver, type Execution, type Stage } from '../../api/execution';
import { mayMoveTraffic } from '../../api/report';
import { useTexts } from '../../texts';
import { ActDialog } from './act-dialog';
import type { Act } from './views';

const route = getRouteApi('/applications/$application/runs/$run');

const SKIPPED = new Set(['wait', 'waitUntil']);

/** What can be done with the run as it is now. */
export function actsOnRun(run: Execution): Act[] {
  if (run.status === 'RUNNING') return ['pause'];
  return run.status === 'PAUSED' ? ['resume'] : [];
}

/** What can be done with a stage as it is now. */
export function actsOnStage(run: Execution, stage: Stage): Act[] {
  if (run.status === 'PAUSED') return [];
  if (SKIPPED.has(stage.type) && stage.status === 'RUNNING') return ['skip'];
  return stage.parentStageId === undefined && isOver(stage.status) ? ['restart'] : [];
}

function ActButton({ act, stage }: { act: Act; stage?: string }) {
  const t = useTexts();
  const navigate = route.useNavigate();
  return (
    <button type="button" className="button" data-act={act} onClick={() => void navigate({ search: (was) => ({ ...was, act, ...(stage === undefined ? {} : { on: stage }) }) })}>
      {t.runMore.button[act]}
    </button>
  );
}

export function RunActs({ run }: { run: Execution }) {
  const { act, on } = route.useSearch();
  const navigate = route.useNavigate();
  const stage = run.stages.find((one) => one.id === on);
  const possible = [...actsOnRun(run), ...(stage === undefined ? [] : actsOnStage(run, stage))];
  return (
    <>
      {actsOnRun(run).map((one) => (
        <ActButton key={one} act={one} />
      ))}
      {act !== undefined && possible.includes(act) && (
        <ActDialog key={`${act} ${stage?.id ?? ''}`} run={run} stage={stage} kind={act} onClose={() => void navigate({ search: ({ act: _, on: __, ...rest }) => rest, replace: true })} />
      )}
    </>
  );
}

/** Above a stage's summary: what can be done with it, and the report of what it did to users. */
export function StageActs({ run, stage }: { run: Execution; stage: Stage }) {
  const t = useTexts();
  const acts = actsOnStage(run, stage);
  const moves = [stage, ...innerStages(run, stage)].some((one) => mayMoveTraffic(one.type) && one.startTime !== undefined);
  if (acts.length === 0 && !moves) return null;
  return (
    <div className="stage-acts" role="group" aria-label={t.runMore.stageActions}>
      {acts.map((one) => (
        <ActButton key={one} act={one} stage={stage.id} />
      ))}
      {moves && (
        <Link className="word small" to="/applications/$application/runs/$run/report" params={{ application: run.application, run: run.id }} data-report={run.id}>
          {t.runMore.report}
        </Link>
      )}
    </div>
  );
}
