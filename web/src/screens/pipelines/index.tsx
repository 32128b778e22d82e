// Pipelines of an application with their runs. One pipeline is open at a time: its stages as a graph, its triggers; it, the filter and what is
// about to be started are in the address.

import { useQuery } from '@tanstack/react-query';
import { Link, getRouteApi } from '@tanstack/react-router';
import { useCallback, useMemo, type ReactNode } from 'react';
import type { Pipeline } from '../../api/config';
import { pipelinesQuery } from '../../api/queries';
import { newestRunsQuery } from '../../api/runs';
import { Answered, Empty } from '../../parts/answers';
import { useFilter } from '../../parts/filter';
import { LongList } from '../../parts/long-list';
import { matches } from '../../parts/match';
import { useTexts } from '../../texts';
import { chunksOf, lostOf } from './chunks';
import { PipelinePart } from './pipeline-part';
import { RunRows } from './run-rows';
import { StartDialog } from './start';
import './pipelines.css';

const route = getRouteApi('/applications/$application/pipelines');

/** Among so many of the newest runs those are looked for whose pipeline is gone. */
const NEWEST = 100;

/** The height of a pipeline with three runs, as pipelines.css has it. */
const PART = 190;

export function PipelinesScreen() {
  const t = useTexts();
  const { application } = route.useParams();
  const { q, pipeline, start } = route.useSearch();
  const navigate = route.useNavigate();
  const pipelines = useQuery(pipelinesQuery(application));
  const show = useCallback((next: { pipeline?: string; start?: string }) => void navigate({ search: ({ start: _, ...was }) => ({ ...was, ...next }) }), [navigate]);
  const [typed, field] = useFilter({ kept: q, label: t.common.filter, keep: (q) => void navigate({ search: ({ q: _, ...rest }) => ({ ...rest, ...(q === undefined ? {} : { q }) }), replace: true }) });
  const toggle = useCallback((name: string, open: boolean) => show({ pipeline: open ? name : '' }), [show]);
  const begin = useCallback((name: string) => show({ start: name }), [show]);
  return (
    <div className="screen">
      <header className="screen-head">
        <h1 className="grow">{t.tabs.pipelines}</h1>
        {(pipelines.data?.length ?? 0) > 1 && field}
        <Link to="/applications/$application/pipelines/new" params={{ application }} className="button">
          + {t.editor.fresh}
        </Link>
      </header>
      <Answered query={pipelines}>
        {(all) => {
          const starting = all.find((one) => one.name === start);
          return (
            <>
              <Pipelines all={all} typed={typed} open={pipeline ?? (all.length === 1 ? all[0]?.name : undefined)} onToggle={toggle} onStart={begin}>
                <Lost application={application} all={all} />
              </Pipelines>
              {starting !== undefined && <StartDialog application={application} pipeline={starting} onClose={() => show({})} />}
            </>
          );
        }}
      </Answered>
    </div>
  );
}

interface PipelinesProps {
  all: Pipeline[];
  typed: string;
  open: string | undefined;
  onToggle: (name: string, open: boolean) => void;
  onStart: (name: string) => void;
  /** Below all of them. */
  children: ReactNode;
}

function Pipelines({ all, typed, open, onToggle, onStart, children }: PipelinesProps) {
  const t = useTexts();
  const chunks = useMemo(() => chunksOf(all), [all]);
  const shown = useMemo(() => (typed.trim() === '' ? all : all.filter((one) => matches(`${one.name} ${one.description ?? ''}`, typed))), [all, typed]);
  return (
    <>
      <LongList as="ul" items={shown} keyOf={(one) => one.id} guess={PART} short={12} reveal={all.find((one) => one.name === open)?.id}>
        {(one) => <PipelinePart pipeline={one} chunk={chunks.get(one.id) ?? [one.id]} open={open === one.name} onToggle={onToggle} onStart={onStart} />}
      </LongList>
      {shown.length < all.length ? (
        <p className="faint small section" role="status">
          {t.common.shown(shown.length, all.length)}
        </p>
      ) : (
        children
      )}
    </>
  );
}

/** Runs that no pipeline of the list has; where there are no pipelines either, that there is nothing yet. */
function Lost({ application, all }: { application: string; all: Pipeline[] }) {
  const t = useTexts();
  const newest = useQuery(newestRunsQuery(NEWEST, application));
  const lost = useMemo(() => lostOf(newest.data ?? [], all), [newest.data, all]);
  if (lost.length > 0) return <RunRows runs={lost} />;
  return all.length === 0 && newest.data !== undefined ? <Empty>{t.pipelines.empty}</Empty> : null;
}
