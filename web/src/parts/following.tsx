// A task, followed where it was started: what it does now, how it ended and why, and the way to its details.

import { Link } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { errorsOf, isOver, waitingOf, type Execution } from '../api/execution';
import { useTexts } from '../texts';
import type { Texts } from '../texts/en';
import { Mark } from './mark';
import { ofRun } from './status';
import { Took } from './when';
import './following.css';

/** What there is to say of a task: why it failed, else what it waits for, else the step that it is at. Pure. */
export function wordOf(task: Execution, t: Texts): string {
  if (isOver(task.status) && task.status !== 'SUCCEEDED') {
    const fallback = task.status === 'CANCELED' ? t.run.whyCanceled : t.run.whyFailed;
    return task.cancellationReason ?? (task.stages.flatMap(errorsOf).join(' ') || fallback);
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

export function Following({ application, id, task, children }: { application: string; id: string; task: Execution | undefined; children?: ReactNode }) {
  const t = useTexts();
  const part = useRef<HTMLDivElement>(null);
  // The button that was pressed is gone: the keyboard goes on from here.
  useEffect(() => part.current?.focus(), []);
  const said = task === undefined ? { tone: 'going' as const, word: t.status.running } : ofRun(task, t);
  return (
    <div ref={part} tabIndex={-1} className="following" data-task={id} data-task-status={task?.status ?? 'NOT_STARTED'}>
      <div className="row">
        <Mark said={said} />
        <span className="soft small grow">{task !== undefined && <Took from={task.startTime} to={task.endTime} />}</span>
        <Link className="word small" to="/applications/$application/tasks" params={{ application }} search={{ task: id }}>
          {t.wizards.toTask}
        </Link>
      </div>
      <p role="status" className={`why tone-edge-${said.tone}`}>
        <bdi>{task === undefined ? t.wizards.begins : wordOf(task, t)}</bdi>
      </p>
      {children}
    </div>
  );
}
