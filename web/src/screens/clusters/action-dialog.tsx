// One action on a server group or an instance: what will happen, with names and counts, the same as a command and as a request; then one button.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { guardsQuery } from '../../api/application';
import type { Instance, ServerGroup } from '../../api/inventory';
import { startTask, taskSaid } from '../../api/jobs';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { entered } from '../../parts/enter';
import { TextField } from '../../parts/form';
import { useTexts } from '../../texts';
import { CapacityFields, ConfirmName, readCapacity, RestoredField } from './action-fields';
import { BeforeAfter } from './before-after';
import { afterwards, releaseOf, rollbackOf, rowsOf, warningsOf, type Act, type Change } from './effects';
import { shortRelease } from './held-back';
import { askedOf, commandOf } from './jobs';
import { warningText } from './warnings';

interface Props {
  group: ServerGroup;
  cluster: ServerGroup[];
  act: Act;
  instance: Instance | undefined;
  onClose: () => void;
  onDone: (task: string) => void;
}

export function ActionDialog({ group, cluster, act, instance, onClose, onDone }: Props) {
  const t = useTexts();
  const guards = useQuery(guardsQuery(group.application));
  const rollback = rollbackOf(group, cluster);
  const [size, setSize] = useState({ desired: String(group.capacity.desired), min: '', max: '' });
  const [restored, setRestored] = useState(rollback?.choices[0]?.name ?? '');
  const [shrink, setShrink] = useState(false);
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');

  const capacity = readCapacity(size, group.capacity);
  const change = changeOf();
  const name = instance?.name ?? (act === 'rollback' ? rollback?.left.name : undefined) ?? group.name;
  const going = useMutation({
    mutationFn: (wanted: Change) => startTask(askedOf(group, wanted, reason)),
    onSuccess: onDone,
  });
  const ready = change !== undefined && (act !== 'destroy' || typed === group.name) && !going.isPending;
  const go = () => {
    if (ready && change !== undefined) going.mutate(change);
  };

  function changeOf(): Change | undefined {
    switch (act) {
      case 'enable':
      case 'disable':
      case 'destroy':
        return { act };
      case 'resize':
        return capacity === undefined ? undefined : { act, capacity };
      case 'rollback':
        return rollback === undefined || restored === '' ? undefined : { act, left: rollback.left.name, restored };
      case 'terminate':
        return instance && { act, instance: instance.id, shrink };
      default:
        return instance && { act, instance: instance.id };
    }
  }

  const after = change === undefined ? cluster : afterwards(cluster, group.name, change);
  const dangerous = act === 'destroy' || act === 'terminate';
  return (
    <Dialog
      title={t.acting.title[act](name)}
      onClose={onClose}
      foot={
        <DialogFoot error={going.error} close={t.common.cancel} onClose={onClose}>
          <button type="button" className={dangerous ? 'button danger' : 'button primary'} disabled={!ready} onClick={go} data-confirm={act}>
            {act === 'rollback' && group.disabled ? t.acting.giveBack : t.acting.button[act]}
          </button>
        </DialogFoot>
      }
    >
      <div className="act-body" onKeyDown={(event) => event.target instanceof HTMLInputElement && entered(event) && go()}>
        {change !== undefined &&
          warningsOf(group, cluster, after, change, guards.data ?? []).map((warning) => (
            <p key={warning.kind} className={warning.kind === 'fewer' || warning.kind === 'guarded' ? 'why tone-edge-despite' : 'why tone-edge-bad'} data-warning={warning.kind}>
              {warningText(warning, group, t)}
            </p>
          ))}
        <p>{says()}</p>
        {act === 'resize' && <CapacityFields size={size} now={group.capacity} wrong={capacity === undefined} onChange={setSize} />}
        {act === 'rollback' && rollback !== undefined && <RestoredField choices={rollback.choices} value={restored} onChange={setRestored} />}
        {act === 'terminate' && (
          <label className="row">
            <input type="checkbox" checked={shrink} onChange={(event) => setShrink(event.target.checked)} />
            {t.acting.shrink}
          </label>
        )}
        <BeforeAfter rows={rowsOf(cluster, after)} />
        {act === 'rollback' && heldSentence()}
        {act === 'destroy' && <ConfirmName name={group.name} value={typed} onChange={setTyped} />}
        <TextField label={t.acting.reason} value={reason} onChange={setReason} />
        <p className="soft small">
          {t.acting.where}: {group.account} / {group.region}
        </p>
      </div>
      {change !== undefined && <SameAs said={taskSaid(location.origin, askedOf(group, change, reason), commandOf(location.origin, group, change, reason))} />}
    </Dialog>
  );

  function says(): string {
    switch (act) {
      case 'resize':
        return t.acting.says.resize(group.capacity.desired, capacity?.desired ?? group.capacity.desired);
      case 'destroy':
        return t.acting.says.destroy(group.instances.length);
      case 'rollback':
        return t.acting.says.rollback(rollback?.left.name ?? '', restored);
      case 'terminate':
        return shrink ? t.acting.says.terminateShrink : t.acting.says.terminate;
      default:
        return t.acting.says[act];
    }
  }

  function heldSentence() {
    const left = rollback?.left;
    const other = cluster.find((one) => one.name === restored);
    const release = left === undefined ? undefined : releaseOf(left);
    if (release === undefined) return null;
    const same = other !== undefined && releaseOf(other) === release;
    return <p data-held-note>{same ? t.acting.notHeld : t.acting.held(shortRelease(release), group.cluster)}</p>;
  }
}
