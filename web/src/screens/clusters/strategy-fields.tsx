// The strategy of a deployment and its own few options.

import { Choice, NumberField, Part, TextField, Tick } from '../../parts/form';
import type { Say } from '../../parts/job-dialog';
import { useTexts } from '../../texts';
import type { GroupDraft } from './deploy-draft';
import { STRATEGIES, type Options } from './strategies';

export function StrategyFields({ draft, set, say }: { draft: GroupDraft; set: (draft: GroupDraft) => void; say: Say }) {
  const t = useTexts();
  const w = t.newGroup;
  const { strategy, options } = draft;
  const change = (some: Partial<Options>) => set({ ...draft, options: { ...options, ...some } });
  const follows = strategy === 'redblack' || strategy === 'rollingredblack' || strategy === 'rolling';
  return (
    <Part title={w.strategy}>
      <Choice wide label={w.how} value={strategy} options={STRATEGIES.map((one) => ({ value: one, word: w.strategies[one] }))} error={say('strategy')} onChange={(next) => set({ ...draft, strategy: next })} />
      {strategy === 'rollingredblack' && <TextField label={w.shares} value={options.shares} help={w.sharesHelp} error={say('shares')} onChange={(shares) => change({ shares })} />}
      {strategy === 'rolling' && <NumberField label={w.batch} unit={w.instancesUnit} value={options.batch} error={say('batch')} onChange={(batch) => change({ batch })} />}
      {follows && <NumberField label={w.delay} unit={t.wizards.seconds} placeholder="0" value={options.delay} error={say('delay')} onChange={(delay) => change({ delay })} />}
      {strategy === 'redblack' && <NumberField label={w.remaining} placeholder={w.allOfThem} value={options.remaining} error={say('remaining')} onChange={(remaining) => change({ remaining })} />}
      {strategy === 'redblack' && <Tick wide label={w.scaleDown} checked={options.scaleDown} onChange={(scaleDown) => change({ scaleDown })} />}
      {strategy === 'rolling' && <Tick wide label={w.endFirst} checked={options.endFirst} onChange={(endFirst) => change({ endFirst })} />}
      {follows && <Tick wide label={w.rollback} checked={options.rollback} onChange={(rollback) => change({ rollback })} />}
      {strategy === 'canary' && (
        <>
          <NumberField label={w.canaryInstances} unit={w.instancesUnit} value={options.instances} error={say('instances')} onChange={(instances) => change({ instances })} />
          <NumberField label={w.canaryMinutes} unit={w.minutes} value={options.minutes} error={say('minutes')} onChange={(minutes) => change({ minutes })} />
          <NumberField label={w.canaryRequests} help={w.canaryRequestsHelp} value={options.requests} error={say('requests')} onChange={(requests) => change({ requests })} />
          <Tick wide label={w.canaryJudgment} checked={options.judgment} onChange={(judgment) => change({ judgment })} />
        </>
      )}
    </Part>
  );
}
