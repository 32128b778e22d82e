// The task of an action, followed where the action was: its steps as they go, why it failed, and where to read more.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { errorsOf, isOver, type Execution } from '../../api/execution';
import { taskQuery } from '../../api/jobs';
import { Answered } from '../../parts/answers';
import { Draw } from '../../parts/icons';
import { Mark } from '../../parts/mark';
import { ofRun, plain } from '../../parts/status';
import { Took } from '../../parts/when';
import { useTexts } from '../../texts';

export function Following({ id, onDismiss }: { id: string; onDismiss: () => void }) {
  const task = useQuery(taskQuery(id));
  return <Answered query={task}>{(found) => <Followed task={found} onDismiss={onDismiss} />}</Answered>;
}

function Followed({ task, onDismiss }: { task: Execution; onDismiss: () => void }) {
  const t = useTexts();
  const steps = task.stages.flatMap((stage) => stage.tasks);
  const now = steps.find((step) => step.status === 'RUNNING');
  const waits = now?.waiting?.reason;
  const errors = [...new Set(task.stages.flatMap(errorsOf))];
  return (
    <section className="following" aria-label={t.acting.following(task.name)} data-task={task.id} data-task-status={task.status}>
      <div className="row" role="status">
        <Mark said={ofRun(task, t)} />
        <span className="strong small cut grow">
          <bdi>{task.name}</bdi>
        </span>
        <span className="soft small">
          <Took from={task.startTime ?? task.buildTime} to={task.endTime} />
        </span>
        <button type="button" className="button quiet" aria-label={t.acting.dismiss} onClick={onDismiss}>
          <Draw what="close" />
        </button>
      </div>
      {errors.map((error) => (
        <p key={error} className="why tone-edge-bad" role="alert">
          <bdi>{error}</bdi>
        </p>
      ))}
      <ol className="following-steps" aria-label={t.acting.step(steps.filter((step) => isOver(step.status)).length, steps.length)}>
        {steps.map((step, at) => (
          <li key={at} className="small">
            <Mark said={plain(step.status, t)} bare />
            <bdi>{step.name}</bdi>
          </li>
        ))}
      </ol>
      {waits !== undefined && (
        <p className="soft small">
          <bdi>{waits}</bdi>
        </p>
      )}
      <Link className="word small" to="/applications/$application/tasks" params={{ application: task.application }} search={{ task: task.id }}>
        {t.acting.openTask}
      </Link>
    </section>
  );
}
