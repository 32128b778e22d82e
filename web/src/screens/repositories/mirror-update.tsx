// An update of a mirror: what it will do, then how far it is, then how it ended. It goes on by itself when the dialog is closed.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { said } from '../../api/aptly';
import { aptlyTaskQuery, beginTask, taskIsOver, type AptlyTask } from '../../api/aptly-tasks';
import { updateMirror } from '../../api/mirrors';
import type { Mirror } from '../../api/repositories';
import { Answered } from '../../parts/answers';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { Tick } from '../../parts/form';
import { Mark } from '../../parts/mark';
import type { Said } from '../../parts/status';
import { useTexts } from '../../texts';
import type { Texts } from '../../texts/en';
import { TRUSTED, TrustFields, trustOf } from './mirror-fields';
import { useRenewal } from './renew';

export function UpdateMirrorDialog({ mirror, onClose }: { mirror: Mirror; onClose: () => void }) {
  const t = useTexts();
  const renew = useRenewal();
  const [trust, setTrust] = useState(TRUSTED);
  const [latest, setLatest] = useState(false);
  const doing = updateMirror(mirror.name, trustOf(trust), latest);
  const begun = useMutation({ mutationFn: () => beginTask(doing.call), onSuccess: renew });
  const id = begun.data;
  return (
    <Dialog
      title={t.mirrors.updateOf(mirror.name)}
      onClose={onClose}
      foot={
        <DialogFoot error={begun.error} onClose={onClose}>
          {id === undefined && (
            <button type="button" className="button primary" disabled={begun.isPending} onClick={() => begun.mutate()}>
              {t.mirrors.update}
            </button>
          )}
        </DialogFoot>
      }
    >
      {id === undefined ? (
        <>
          <p>{t.mirrors.updateSays(mirror.archive)}</p>
          <Tick label={t.mirrors.latest} checked={latest} onChange={setLatest} />
          <TrustFields trust={trust} onChange={setTrust} />
          <SameAs said={said(location.origin, doing)} />
        </>
      ) : (
        <Going id={id} onBack={() => begun.reset()} />
      )}
    </Dialog>
  );
}

function Going({ id, onBack }: { id: number; onBack: () => void }) {
  const t = useTexts();
  const renew = useRenewal();
  const query = useQuery(aptlyTaskQuery(id));
  const over = query.data !== undefined && taskIsOver(query.data);
  useEffect(() => {
    if (over) void renew();
    // Once when it is over; and once when nobody looks any more: the list says from then on that it goes on.
    return () => void renew();
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [over]);
  return (
    <Answered query={query}>
      {(task) => (
        <div data-task-state={task.state}>
          <p className="row" role="status">
            <Mark said={markOf(task, t)} />
          </p>
          {/* Its place stays when it is over: nothing below jumps. */}
          <progress className="upload-progress" aria-label={t.mirrors.progress} {...shareOf(task)} />
          <p className="soft small">
            <bdi>{countedOf(task, t)}</bdi>
          </p>
          {task.state === 'failed' ? (
            <>
              <p className="why tone-edge-bad" role="alert">
                <bdi>{task.last}</bdi>
              </p>
              <button type="button" className="button" onClick={onBack}>
                {t.wizards.back}
              </button>
            </>
          ) : (
            <p className="soft">{over ? t.mirrors.ended : t.mirrors.goesOn}</p>
          )}
        </div>
      )}
    </Answered>
  );
}

function markOf({ state }: AptlyTask, t: Texts): Said {
  switch (state) {
    case 'waiting':
      return { tone: 'waiting', word: t.status.waiting };
    case 'running':
      return { tone: 'going', word: t.mirrors.updating };
    case 'done':
      return { tone: 'well', word: t.mirrors.isUpdated };
    case 'failed':
      return { tone: 'bad', word: t.status.failed };
  }
}

/** How much of how much; before that is known, what the task itself says. */
function countedOf({ state, packages, bytes, last }: AptlyTask, t: Texts): string {
  const parts = [packages === undefined ? '' : t.mirrors.packagesOf(packages.done, packages.all), bytes === undefined ? '' : t.mirrors.bytesOf(t.upload.bytes(bytes.done), t.upload.bytes(bytes.all))];
  return parts.filter((one) => one !== '').join(' · ') || (state === 'running' && last !== '' ? last : '\u00a0');
}

/** A bar without a value moves: it is not known yet how much there is to do. */
function shareOf({ state, bytes, packages }: AptlyTask): { value?: number } {
  if (state === 'done') return { value: 1 };
  const share = bytes ?? packages;
  if (share !== undefined) return { value: share.done / share.all };
  return state === 'failed' ? { value: 0 } : {};
}
