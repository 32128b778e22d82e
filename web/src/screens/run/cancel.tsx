// Cancelling a run: what will happen, a reason, the same as a command and as a request.

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cancelRun, cancelSaid } from '../../api/actions';
import { isOver, topStages, type Execution } from '../../api/execution';
import { Confirm } from '../../parts/confirm';
import { Mark } from '../../parts/mark';
import { ofStage } from '../../parts/status';
import { useTexts } from '../../texts';

export function CancelDialog({ run, onClose }: { run: Execution; onClose: () => void }) {
  const t = useTexts();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const affected = topStages(run).filter((stage) => !isOver(stage.status));
  return (
    <Confirm
      title={t.run.cancelRun}
      word={t.run.confirmCancel}
      danger
      close={t.common.close}
      act={() => cancelRun(run.id, reason)}
      onDone={() => queries.invalidateQueries({ queryKey: ['run', run.id] }).then(onClose)}
      onClose={onClose}
      said={cancelSaid(location.origin, run.id, reason)}
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
        <input className="field" value={reason} onChange={(event) => setReason(event.target.value)} />
      </label>
    </Confirm>
  );
}
