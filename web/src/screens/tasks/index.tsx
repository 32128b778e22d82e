// Tasks of an application: every job that was posted, the newest first; the open one with its steps and why it failed.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { memo, useCallback, useState } from 'react';
import { tasksQuery } from '../../api/queries';
import { errorsOf, type Execution } from '../../api/execution';
import { mayMoveTraffic } from '../../api/report';
import { Answered, Empty } from '../../parts/answers';
import { DataTable } from '../../parts/data';
import { Draw } from '../../parts/icons';
import { LongList } from '../../parts/long-list';
import { Mark } from '../../parts/mark';
import { ofRun, plain } from '../../parts/status';
import { Ago, Took } from '../../parts/when';
import { useTexts } from '../../texts';
import './tasks.css';

const route = getRouteApi('/applications/$application/tasks');

/** So many tasks are asked for, and as many more as often as somebody wants. */
const SOME = 100;

export function TasksScreen() {
  const t = useTexts();
  const { application } = route.useParams();
  const { task } = route.useSearch();
  const navigate = route.useNavigate();
  const [limit, setLimit] = useState(SOME);
  const tasks = useQuery(tasksQuery(application, limit));
  const toggle = useCallback((id: string, open: boolean) => void navigate({ search: open ? { task: id } : {} }), [navigate]);
  return (
    <div className="screen">
      <h1 className="hidden-words">{t.tabs.tasks}</h1>
      <Answered query={tasks}>
        {(all) =>
          all.length === 0 ? (
            <Empty>{t.tasks.empty}</Empty>
          ) : (
            <>
              <LongList as="ul" className="task-list" items={all} keyOf={(one) => one.id} guess={39} reveal={task}>
                {(one) => <TaskPart task={one} open={one.id === task} onToggle={toggle} />}
              </LongList>
              {all.length >= limit && (
                <button type="button" className="button section" disabled={tasks.isPlaceholderData} onClick={() => setLimit(limit + SOME)}>
                  {t.common.older}
                </button>
              )}
            </>
          )
        }
      </Answered>
    </div>
  );
}

const TaskPart = memo(function TaskPart({ task, open, onToggle }: { task: Execution; open: boolean; onToggle: (id: string, open: boolean) => void }) {
  const t = useTexts();
  const errors = task.stages.flatMap(errorsOf);
  return (
    <li className="task">
      <button type="button" className="task-head" aria-expanded={open} onClick={() => onToggle(task.id, !open)}>
        <span className={open ? 'twist open' : 'twist'}>
          <Draw what="right" />
        </span>
        <Mark said={ofRun(task, t)} />
        <span className="task-name cut">
          <bdi>{task.name}</bdi>
        </span>
        <span className="soft small wide-only">
          <Took from={task.startTime} to={task.endTime} />
        </span>
        <span className="soft small">
          <Ago at={task.buildTime ?? task.startTime} />
        </span>
      </button>
      {open && (
        <div className="task-body">
          {errors.map((error, at) => (
            <p key={at} className="why tone-edge-bad">
              <bdi>{error}</bdi>
            </p>
          ))}
          {task.stages.some((stage) => mayMoveTraffic(stage.type)) && (
            <Link className="word" to="/applications/$application/runs/$run/report" params={{ application: task.application, run: task.id }} data-report={task.id}>
              {t.report.open}
            </Link>
          )}
          {task.stages.map((stage) => (
            <div key={stage.id} className="task-stage">
              <p className="row">
                <span className="strong">
                  <bdi>{stage.name}</bdi>
                </span>
                <Mark said={plain(stage.status, t)} />
              </p>
              <ul className="task-steps">
                {stage.tasks.map((step) => (
                  <li key={step.id}>
                    <Mark said={plain(step.status, t)} bare />
                    <bdi>{step.name}</bdi>
                    <span className="faint small">
                      <Took from={step.startTime} to={step.endTime} />
                    </span>
                  </li>
                ))}
              </ul>
              <details className="small">
                <summary className="soft">{t.tasks.variables}</summary>
                <DataTable data={stage.context} />
              </details>
            </div>
          ))}
        </div>
      )}
    </li>
  );
});
