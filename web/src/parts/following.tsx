// A task, followed where it was started: what it does now, its steps, how it ended and why, and the way to its details.

import { Link } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { errorsOf, isOver, waitingOf, type Execution } from '../api/execution';
import { useTexts } from '../texts';
import type { Texts } from '../texts/en';
import { Draw } from './icons';
import { Mark } from './mark';
import { ofRun, plain } from './status';
import { Took } from './when';
import './following.css';

/** What there is to say of a task: why it failed, else what it waits for, else the step that it is at. Pure. */
export function wordOf(task: Execution, t: Texts): string {
  if (isOver(task.status) && task.status !== 'SUCCEEDED') {
    const fallback = task.status === 'CANCELED' ? t.run.whyCanceled : t.run.whyFailed;
    return task.cancellationReason ?? ([...new Set(task.stages.flatMap(errorsOf))].join(' ') || fallback);
  }
  if (isOver(task.status)) return t.wizards.done;
  for (const stage of task.stages) {
    if (stage.status !== 'RUNNING') continue;
    const step = stage.tasks.find((one) => one.status === 'RUNNING');
    const waiting = waitingOf(task, stage);
    if (waiting !== undefined) return waiting.reason;
    if (step !== undefined) return t.run.whyRunning(stage.name === stage.type ? step.name : `${stage.name}, ${step.name}`);
  }
  return t.wizards.begins;
}

interface Props {
  application: string;
  id: string;
  task: Execution | undefined;
  /** Where it stands on a screen, beside other things, until somebody puts it away. */
  onDismiss?: () => void;
  children?: ReactNode;
}

export function Following({ application, id, task, onDismiss, children }: Props) {
  const t = useTexts();
  const part = useRef<HTMLDivElement>(null);
  const beside = onDismiss !== undefined;
  // In a dialog the button that was pressed is gone: the keyboard goes on from here.
  useEffect(() => {
    if (!beside) part.current?.focus();
  }, [beside]);
  const said = task === undefined ? { tone: 'going' as const, word: t.status.running } : ofRun(task, t);
  const steps = (task?.stages ?? []).flatMap((stage) => stage.tasks);
  const failed = task !== undefined && isOver(task.status) && task.status !== 'SUCCEEDED';
  return (
    <div
      ref={part}
      tabIndex={beside ? undefined : -1}
      role="group"
      aria-label={t.acting.following(task?.name ?? id)}
      className={beside ? 'following beside' : 'following'}
      data-task={id}
      data-task-status={task?.status ?? 'NOT_STARTED'}
    >
      <div className="row">
        <Mark said={said} />
        <span className="strong small cut grow">{beside && <bdi>{task?.name}</bdi>}</span>
        <span className="soft small">{task !== undefined && <Took from={task.startTime ?? task.buildTime} to={task.endTime} />}</span>
        <Link className="word small" to="/applications/$application/tasks" params={{ application }} search={{ task: id }}>
          {t.wizards.toTask}
        </Link>
        {beside && (
          <button type="button" className="button quiet" aria-label={t.acting.dismiss} onClick={onDismiss}>
            <Draw what="close" />
          </button>
        )}
      </div>
      <p role={failed ? 'alert' : 'status'} className={`why tone-edge-${said.tone}`}>
        <bdi>{task === undefined ? t.wizards.begins : wordOf(task, t)}</bdi>
      </p>
      {steps.length > 0 && (
        <ol className="following-steps" aria-label={t.acting.step(steps.filter((step) => isOver(step.status)).length, steps.length)}>
          {steps.map((step, at) => (
            <li key={at} className="small">
              <Mark said={plain(step.status, t)} bare />
              <bdi>{step.name}</bdi>
            </li>
          ))}
        </ol>
      )}
      {children}
    </div>
  );
}
