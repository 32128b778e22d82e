// The fields of the dialogs that change a server group: its size, who gets the traffic back, a name to confirm, a reason.

import type { ServerGroup } from '../../api/inventory';
import { Choice, NumberField, TextField } from '../../parts/form';
import { useTexts } from '../../texts';
import type { Capacity } from './effects';
import { shortImage, versionOf } from './names';

export interface Size {
  desired: string;
  min: string;
  max: string;
}

function whole(text: string): number | undefined {
  return /^\d{1,6}$/.test(text.trim()) ? Number(text) : undefined;
}

/** The size that the fields ask for. Bounds that are not given follow the number where they were the same before, or where they must. */
export function readCapacity(size: Size, now: Capacity): Capacity | undefined {
  const desired = whole(size.desired);
  if (desired === undefined) return undefined;
  const min = size.min === '' ? (now.min === now.desired ? desired : Math.min(now.min, desired)) : whole(size.min);
  const max = size.max === '' ? (now.max === now.desired ? desired : Math.max(now.max, desired)) : whole(size.max);
  if (min === undefined || max === undefined || min > desired || desired > max) return undefined;
  return { min, desired, max };
}

export function CapacityFields({ size, now, wrong, onChange }: { size: Size; now: Capacity; wrong: boolean; onChange: (size: Size) => void }) {
  const t = useTexts();
  const follows = readCapacity({ ...size, min: '', max: '' }, now) ?? now;
  return (
    <div className="act-fields">
      <NumberField label={t.acting.instances} value={size.desired} onChange={(desired) => onChange({ ...size, desired })} invalid={wrong} />
      <details>
        <summary className="soft small">{t.acting.bounds}</summary>
        <div className="row">
          <NumberField label={t.acting.min} value={size.min} placeholder={String(follows.min)} onChange={(min) => onChange({ ...size, min })} invalid={wrong} />
          <NumberField label={t.acting.max} value={size.max} placeholder={String(follows.max)} onChange={(max) => onChange({ ...size, max })} invalid={wrong} />
        </div>
      </details>
      {wrong && (
        <p className="tone-bad small" role="alert">
          {t.acting.badSize}
        </p>
      )}
    </div>
  );
}

export function RestoredField({ choices, value, onChange }: { choices: ServerGroup[]; value: string; onChange: (value: string) => void }) {
  const t = useTexts();
  return (
    <Choice
      label={t.acting.to}
      value={value}
      options={choices.map((group) => ({ value: group.name, word: [versionOf(group), group.package ?? shortImage(group.image)].filter((part) => part !== undefined).join(' · ') }))}
      onChange={onChange}
    />
  );
}

/** Asked for only where it cannot be undone. */
export function ConfirmName({ name, value, onChange }: { name: string; value: string; onChange: (value: string) => void }) {
  const t = useTexts();
  return <TextField label={t.acting.typeName(name)} value={value} onChange={onChange} />;
}
