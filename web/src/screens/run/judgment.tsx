// The buttons of a judgment that waits for me: what each does stands beside it; answering shows its result where it was pressed.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { judge, judgeSaid, type Judgment as Answer } from '../../api/actions';
import type { Execution, Stage } from '../../api/execution';
import { list, map, text } from '../../api/read';
import { SameAs } from '../../parts/dialog';
import { Draw } from '../../parts/icons';
import { useTexts } from '../../texts';
import { JudgmentFacts } from './judgment-facts';

export function Judgment({ run, stage }: { run: Execution; stage: Stage }) {
  const t = useTexts();
  const queries = useQueryClient();
  const [input, setInput] = useState('');
  const options = list(stage.context.judgmentInputs).map((one) => text(map(one).value) || text(one)).filter((one) => one !== '');
  const answering = useMutation({
    mutationFn: (judgment: Answer) => judge(run.id, stage.id, judgment, input),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['run', run.id] }),
  });
  const busy = answering.isPending || answering.isSuccess;
  return (
    <div className="judgment" data-judgment={stage.id}>
      {options.length > 0 && (
        <label className="row small">
          {t.run.input}
          <select className="field" value={input} onChange={(event) => setInput(event.target.value)}>
            <option value="">–</option>
            {options.map((option) => (
              <option key={option}>{option}</option>
            ))}
          </select>
        </label>
      )}
      <div className="row judgment-buttons">
        <button type="button" className="button primary" disabled={busy} onClick={() => answering.mutate('continue')} data-judge="continue">
          <Draw what="check" />
          {t.run.continue}
        </button>
        <button type="button" className="button danger" disabled={busy} onClick={() => answering.mutate('stop')} data-judge="stop">
          <Draw what="stop" />
          {t.run.stop}
        </button>
      </div>
      <JudgmentFacts run={run} stage={stage} />
      {answering.error !== null && (
        <p className="tone-bad small" role="alert">
          {answering.error.message}
        </p>
      )}
      <details className="small">
        <summary className="soft">{t.common.asRequest}</summary>
        <SameAs said={judgeSaid(location.origin, run.id, stage.id, 'continue', input)} />
      </details>
    </div>
  );
}
