// A dialog that asks for one job: its form, what will happen, the same as a command and as a request; then the task, followed in its place.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { Execution } from '../api/execution';
import { isOver } from '../api/execution';
import { cancelTask, startTask, taskQuery, taskSaid, type Asked } from '../api/jobs';
import { useTexts } from '../texts';
import { Dialog, DialogFoot, SameAs } from './dialog';
import { entered } from './enter';
import { Following, wordOf } from './following';
import type { Problems } from './problems';

/** What is to be said beside a field now. */
export type Say = (field: string) => string | undefined;

interface Props {
  title: string;
  /** The word on the button. */
  verb: string;
  destroys?: boolean;
  asked: Asked;
  problems: Problems;
  onClose: () => void;
  /** Somebody goes back to the form after a failure: what was made on the way is there now. */
  onBack?: () => void;
  children: (say: Say) => ReactNode;
  /** Beneath the task, while it goes on and when it has ended. */
  beneath?: (task: Execution | undefined) => ReactNode;
}

export function JobDialog({ title, verb, destroys, asked, problems, onClose, onBack, children, beneath }: Props) {
  const t = useTexts();
  const form = useRef<HTMLDivElement>(null);
  const [pressed, setPressed] = useState(0);
  const [failed, setFailed] = useState<string>();
  const start = useMutation({ mutationFn: () => startTask(asked) });
  const id = start.data;
  const stop = useMutation({ mutationFn: cancelTask });
  const { data: task } = useQuery({ ...taskQuery(id ?? ''), enabled: id !== undefined });
  const wrong = Object.keys(problems).length;
  const go = () => {
    setPressed(pressed + 1);
    if (wrong === 0 && !start.isPending) start.mutate();
  };
  const back = () => {
    if (task !== undefined) setFailed(wordOf(task, t));
    setPressed(0);
    start.reset();
    stop.reset();
    onBack?.();
  };
  // Pressing the button leads to the first field that is not right.
  useEffect(() => {
    if (pressed > 0) form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [pressed]);
  useEffect(() => {
    if (id === undefined && failed !== undefined) form.current?.querySelector<HTMLElement>('.field')?.focus();
  }, [id, failed]);
  const say: Say = (field) => {
    const found = problems[field];
    return found === undefined || (found.missing === true && pressed === 0) ? undefined : found.why;
  };
  if (id !== undefined) {
    return (
      <Dialog title={title} kept onClose={onClose} foot={
        <DialogFoot error={stop.error} onClose={onClose}>
          {task !== undefined && !isOver(task.status) && (
            <button type="button" className="button" title={t.wizards.stopMeans} disabled={stop.isPending} onClick={() => stop.mutate(id)}>
              {t.wizards.stop}
            </button>
          )}
          {task !== undefined && isOver(task.status) && task.status !== 'SUCCEEDED' && (
            <button type="button" className="button primary" onClick={back}>
              {t.wizards.back}
            </button>
          )}
        </DialogFoot>
      }>
        <Following application={asked.application} id={id} task={task}>
          {beneath?.(task)}
        </Following>
      </Dialog>
    );
  }
  return (
    <Dialog title={title} kept onClose={onClose} foot={
      <DialogFoot error={start.error ?? (pressed > 0 && wrong > 0 ? new Error(t.wizards.toMend(wrong)) : null)} close={t.common.cancel} onClose={onClose}>
        <button type="button" className={destroys ? 'button danger' : 'button primary'} disabled={start.isPending} onClick={go} data-confirm={asked.job.type}>
          {verb}
        </button>
      </DialogFoot>
    }>
      <div ref={form} className="form" onKeyDown={(event) => event.target instanceof HTMLInputElement && entered(event) && go()}>
        {failed !== undefined && (
          <p className="why tone-edge-bad" role="alert">
            {t.wizards.lastTime} <bdi>{failed}</bdi>
          </p>
        )}
        {children(say)}
      </div>
      <SameAs said={taskSaid(location.origin, asked)} />
    </Dialog>
  );
}
