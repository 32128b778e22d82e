// The run as a graph, left to right: each stage with its state, how long it took and how far it is; synthetic stages folded into it.

import { innerStages, progress, topOf, topStages, type Execution, type Stage } from '../../api/execution';
import { Graph } from '../../parts/graph';
import { Mark } from '../../parts/mark';
import { StageFace } from '../../parts/stage-face';
import { ofStage } from '../../parts/status';
import { Took } from '../../parts/when';
import { useTexts } from '../../texts';

export function RunGraph({ run, selected, onSelect }: { run: Execution; selected: string | undefined; onSelect: (id: string) => void }) {
  const t = useTexts();
  const top = topStages(run);
  const idOf = new Map(top.map((stage) => [stage.refId, stage.id]));
  const nodes = top.map((stage) => {
    const said = ofStage(run, stage, t);
    return {
      id: stage.id,
      after: stage.requisites.flatMap((ref) => idOf.get(ref) ?? []),
      tone: said.tone,
      dim: stage.status === 'NOT_STARTED' || stage.status === 'SKIPPED',
      label: `${stage.name}: ${said.word}`,
      face: <Face run={run} stage={stage} />,
    };
  });
  const chosen = run.stages.find((stage) => stage.id === selected);
  const owner = chosen && topOf(run, chosen).id;
  return <Graph nodes={nodes} selected={owner} onSelect={onSelect} label={t.run.graph} />;
}

function Face({ run, stage }: { run: Execution; stage: Stage }) {
  const t = useTexts();
  const inner = innerStages(run, stage).length;
  return (
    <StageFace
      name={stage.name}
      share={stage.status === 'RUNNING' ? progress(run, stage) : undefined}
      foot={
        <>
          <Mark said={ofStage(run, stage, t)} />
          {stage.startTime !== undefined && <Took from={stage.startTime} to={stage.endTime} />}
          {inner > 0 && (
            <span className="faint" title={t.run.folded(inner)}>
              +{inner}
            </span>
          )}
        </>
      }
    />
  );
}
