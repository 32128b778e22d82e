// Pipelines of an application with their runs. One pipeline is open at a time: its stages as a graph, its triggers; both in the address.

import { useQuery } from '@tanstack/react-query';
import { Link, getRouteApi } from '@tanstack/react-router';
import { pipelinesQuery, runsQuery } from '../../api/queries';
import type { Pipeline } from '../../api/config';
import type { Execution } from '../../api/execution';
import { Answered, Empty } from '../../parts/answers';
import { Graph } from '../../parts/graph';
import { Draw } from '../../parts/icons';
import { StageFace } from '../../parts/stage-face';
import { useTexts } from '../../texts';
import { RunRows } from './run-rows';
import { StartDialog } from './start';
import { watches } from './watches';
import './pipelines.css';

const route = getRouteApi('/applications/$application/pipelines');

export function PipelinesScreen() {
  const t = useTexts();
  const { application } = route.useParams();
  const { pipeline, start } = route.useSearch();
  const navigate = route.useNavigate();
  const pipelines = useQuery(pipelinesQuery(application));
  const runs = useQuery(runsQuery(application));
  const show = (next: { pipeline?: string; start?: string }) => void navigate({ search: next });
  return (
    <div className="screen">
      <header className="screen-head">
        <h1 className="grow">{t.tabs.pipelines}</h1>
        <Link to="/applications/$application/pipelines/new" params={{ application }} className="button">
          + {t.editor.fresh}
        </Link>
      </header>
      <Answered query={pipelines}>
        {(all) => {
          const lost = (runs.data ?? []).filter((run) => !all.some((one) => belongs(run, one)));
          const starting = all.find((one) => one.name === start);
          return (
            <>
              {all.length === 0 && lost.length === 0 && <Empty>{t.pipelines.empty}</Empty>}
              {all.map((one) => (
                <PipelinePart
                  key={one.id}
                  pipeline={one}
                  runs={runs.data?.filter((run) => belongs(run, one))}
                  open={pipeline === one.name || (pipeline === undefined && all.length === 1)}
                  onToggle={(open) => show(open ? { pipeline: one.name } : { pipeline: '' })}
                  onStart={() => show({ ...(pipeline === undefined ? {} : { pipeline }), start: one.name })}
                />
              ))}
              {lost.length > 0 && <RunRows runs={lost} />}
              {starting !== undefined && <StartDialog application={application} pipeline={starting} onClose={() => show(pipeline === undefined ? {} : { pipeline })} />}
            </>
          );
        }}
      </Answered>
    </div>
  );
}

function belongs(run: Execution, pipeline: Pipeline): boolean {
  return run.pipelineConfigId === undefined ? run.name === pipeline.name : run.pipelineConfigId === pipeline.id;
}

interface PartProps {
  pipeline: Pipeline;
  runs: Execution[] | undefined;
  open: boolean;
  onToggle: (open: boolean) => void;
  onStart: () => void;
}

function PipelinePart({ pipeline, runs, open, onToggle, onStart }: PartProps) {
  const t = useTexts();
  return (
    <section className="pipeline" data-pipeline={pipeline.name}>
      <header className="pipeline-head">
        <button type="button" className="pipeline-open" aria-expanded={open} onClick={() => onToggle(!open)}>
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
        <button type="button" className="button" disabled={pipeline.disabled} aria-label={t.pipelines.startNamed(pipeline.name)} onClick={onStart}>
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
      {runs !== undefined && (runs.length === 0 ? <p className="faint small pipeline-none">{t.pipelines.noRuns}</p> : <RunRows runs={open ? runs : runs.slice(0, 3)} />)}
    </section>
  );
}

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
