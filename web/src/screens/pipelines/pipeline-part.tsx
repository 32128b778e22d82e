// One pipeline of the list: its head, its newest runs, and when it is open its stages as a graph and more of its runs.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { memo, useCallback, useState } from 'react';
import type { Pipeline } from '../../api/config';
import type { Execution } from '../../api/execution';
import { runsOfQuery } from '../../api/runs';
import { Graph } from '../../parts/graph';
import { Draw } from '../../parts/icons';
import { StageFace } from '../../parts/stage-face';
import { useTexts } from '../../texts';
import { RunRows } from './run-rows';
import { watches } from './watches';

/** How many runs are shown of a pipeline that is closed, and of one that is open. */
const CLOSED = 3;
const OPEN = 20;
/** How many more somebody gets who asks for older ones. */
const MORE = 100;

interface Props {
  pipeline: Pipeline;
  /** The pipelines whose runs are asked for together with its own. */
  chunk: string[];
  open: boolean;
  onToggle: (name: string, open: boolean) => void;
  onStart: (name: string) => void;
}

/** The newest runs, the few of the list until there are more; and what asks for more, where there may be any. */
function useRuns({ pipeline, chunk, open }: Pick<Props, 'pipeline' | 'chunk' | 'open'>): { runs: Execution[] | undefined; older: (() => void) | undefined } {
  const [limit, setLimit] = useState(OPEN);
  const own = useCallback((all: Execution[]) => all.filter((run) => run.pipelineConfigId === pipeline.id), [pipeline.id]);
  const few = useQuery({ ...runsOfQuery(pipeline.application, chunk, CLOSED), select: own }).data;
  const more = useQuery({ ...runsOfQuery(pipeline.application, [pipeline.id], limit), enabled: open }).data;
  return { runs: open ? (more ?? few) : few, older: open && more !== undefined && more.length >= limit ? () => setLimit(limit + MORE) : undefined };
}

export const PipelinePart = memo(function PipelinePart({ pipeline, chunk, open, onToggle, onStart }: Props) {
  const t = useTexts();
  const { runs, older } = useRuns({ pipeline, chunk, open });
  return (
    <li className="pipeline" data-pipeline={pipeline.name}>
      <header className="pipeline-head">
        <button type="button" className="pipeline-open" aria-expanded={open} onClick={() => onToggle(pipeline.name, !open)}>
          <span className={open ? 'twist open' : 'twist'}>
            <Draw what="right" />
          </span>
          <h2>
            <bdi>{pipeline.name}</bdi>
          </h2>
        </button>
        <span className="faint small grow cut">
          {t.pipelines.stages(pipeline.stages.length)}
          {pipeline.disabled ? ` · ${t.pipelines.disabled}` : ` · ${t.pipelines.watches}: ${watches(pipeline.triggers, t)}`}
        </span>
        <Link to="/applications/$application/pipelines/$pipeline/edit" params={{ application: pipeline.application, pipeline: pipeline.name }} className="button" aria-label={t.editor.editNamed(pipeline.name)}>
          {t.editor.edit}
        </Link>
        <button type="button" className="button" disabled={pipeline.disabled} aria-label={t.pipelines.startNamed(pipeline.name)} onClick={() => onStart(pipeline.name)}>
          <Draw what="play" />
          {t.pipelines.start}
        </button>
      </header>
      {open && (
        <div className="pipeline-graph">
          {pipeline.description !== undefined && (
            <p className="soft small">
              <bdi>{pipeline.description}</bdi>
            </p>
          )}
          <PipelineGraph pipeline={pipeline} />
        </div>
      )}
      {runs === undefined ? <div className="pipeline-coming" /> : runs.length === 0 ? <p className="faint small pipeline-none">{t.pipelines.noRuns}</p> : <RunRows runs={runs} />}
      {older !== undefined && (
        <button type="button" className="button quiet" onClick={older}>
          {t.common.older}
        </button>
      )}
    </li>
  );
});

function PipelineGraph({ pipeline }: { pipeline: Pipeline }) {
  const t = useTexts();
  const nodes = pipeline.stages.map((stage) => ({
    id: stage.refId,
    after: stage.requisites,
    dim: stage.condition !== undefined,
    label: `${stage.name}, ${stage.type}${stage.condition === undefined ? '' : `, ${t.pipelines.guarded} ${stage.condition}`}`,
    face: <StageFace name={stage.name} foot={<span className="cut">{stage.type}</span>} />,
  }));
  return <Graph nodes={nodes} label={t.pipelines.graph} />;
}
