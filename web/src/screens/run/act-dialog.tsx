// Pausing and resuming a run, skipping a wait, restarting a stage: what will happen, the same as a command and as a request, then one button.

import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { behind, isOver, topOf, topStages, waitingOf, waitSeconds, type Execution, type Stage } from '../../api/execution';
import { doRunAct, runActSaid, type RunAct } from '../../api/run-actions';
import { Confirm } from '../../parts/confirm';
import { Mark } from '../../parts/mark';
import { ofStage } from '../../parts/status';
import { duration } from '../../parts/time';
import { Ago, useNow } from '../../parts/when';
import { useTexts } from '../../texts';
import type { Act } from './views';

export function ActDialog({ run, stage, kind, onClose }: { run: Execution; stage: Stage | undefined; kind: Act; onClose: () => void }) {
  const t = useTexts();
  const queries = useQueryClient();
  const act: RunAct | undefined = kind === 'pause' || kind === 'resume' ? { kind } : stage && { kind, stage: stage.id };
  if (act === undefined) return null;
  const name = 'stage' in act ? (stage?.name ?? '') : run.name;
  return (
    <Confirm
      title={t.runMore.title[kind](name)}
      word={t.runMore.button[kind]}
      name={kind}
      act={() => doRunAct(run.id, act)}
      onDone={() => queries.invalidateQueries({ queryKey: ['run', run.id] }).then(onClose)}
      onClose={onClose}
      said={runActSaid(location.origin, run.id, act)}
    >
      <What run={run} stage={stage} kind={kind} />
    </Confirm>
  );
}

function What({ run, stage, kind }: { run: Execution; stage: Stage | undefined; kind: Act }): ReactNode {
  const t = useTexts();
  const now = useNow();
  const top = topStages(run);
  switch (kind) {
    case 'pause': {
      const later = top.filter((one) => one.status === 'NOT_STARTED').length;
      return (
        <>
          <p>{t.runMore.pauseSays}</p>
          <Stages run={run} title={t.runMore.holds} stages={top.filter((one) => one.status === 'RUNNING')} />
          {later > 0 && <p className="soft">{t.runMore.later(later)}</p>}
        </>
      );
    }
    case 'resume':
      return (
        <>
          <p>{t.runMore.resumeSays}</p>
          {run.paused !== undefined && (
            <p className="soft">
              {run.paused.by === undefined ? t.runMore.held : t.runMore.heldBy(run.paused.by)}, <Ago at={run.paused.at} />
            </p>
          )}
          <Stages run={run} title={t.runMore.goesOn} stages={top.filter((one) => one.status === 'PAUSED')} />
        </>
      );
    case 'skip': {
      if (stage === undefined) return null;
      const until = waitingOf(run, stage)?.until ?? (stage.startTime === undefined ? undefined : stage.startTime + waitSeconds(stage.context) * 1000);
      const owner = topOf(run, stage);
      const next = top.filter((one) => one.requisites.includes(owner.refId));
      return (
        <>
          <p>{until === undefined || until <= now ? t.runMore.skipNow : t.runMore.skipSays(duration(until - now, t))}</p>
          {owner.id === stage.id && (next.length === 0 ? <p className="soft">{t.runMore.skipEnd}</p> : <Stages run={run} title={t.runMore.skipNext} stages={next} />)}
        </>
      );
    }
    case 'restart':
      if (stage === undefined) return null;
      return (
        <>
          {isOver(run.status) && <p>{t.runMore.restartEnded}</p>}
          <Stages run={run} title={t.runMore.restartSays} stages={[stage, ...behind(run, stage)]} />
        </>
      );
  }
}

function Stages({ run, title, stages }: { run: Execution; title: string; stages: Stage[] }) {
  const t = useTexts();
  if (stages.length === 0) return null;
  return (
    <>
      <p>{title}</p>
      <ol className="inner-list" aria-label={title}>
        {stages.map((stage) => (
          <li key={stage.id}>
            <bdi>{stage.name}</bdi>
            <span className="faint small">{stage.type}</span>
            <Mark said={ofStage(run, stage, t)} />
          </li>
        ))}
      </ol>
    </>
  );
}
