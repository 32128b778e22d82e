// Cancelling a run: what will happen, a reason, the same as a command and as a request.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cancelRun, cancelSaid } from '../../api/actions';
import { isOver, topStages, type Execution } from '../../api/execution';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { submits } from '../../parts/enter';
import { Mark } from '../../parts/mark';
import { ofStage } from '../../parts/status';
import { useTexts } from '../../texts';

export function CancelDialog({ run, onClose }: { run: Execution; onClose: () => void }) {
  const t = useTexts();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const cancel = useMutation({
    mutationFn: () => cancelRun(run.id, reason),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['run', run.id] });
      onClose();
    },
  });
  const affected = topStages(run).filter((stage) => !isOver(stage.status));
  return (
    <Dialog
      title={t.run.cancelRun}
      onClose={onClose}
      foot={
        <DialogFoot error={cancel.error} onClose={onClose}>
          <button type="button" className="button danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
            {t.run.confirmCancel}
          </button>
        </DialogFoot>
      }
    >
      <p>{t.run.cancelSays}</p>
      <ul className="inner-list">
        {affected.map((stage) => (
          <li key={stage.id}>
            <bdi>{stage.name}</bdi>
            <Mark said={ofStage(run, stage, t)} />
          </li>
        ))}
      </ul>
      <label className="cancel-reason">
        <span className="small soft">{t.run.reason}</span>
        <input
          className="field"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          onKeyDown={(event) => submits({ key: event.key, isComposing: event.nativeEvent.isComposing, keyCode: event.keyCode }) && !cancel.isPending && cancel.mutate()}
        />
      </label>
      <SameAs said={cancelSaid(location.origin, run.id, reason)} />
    </Dialog>
  );
}
