// The controls for plain values: text, number, yes or no, one of several.

import { useTexts } from '../../texts';
import { choiceWord } from './field-names';
import { hintsId } from './hints';
import type { Kind } from './schema';

/** Fields whose texts have several lines. */
const LONG = new Set(['instructions', 'comments', 'description', 'payload', 'skipWindowText', 'skipWaitText', 'yamlConfig', 'artifactContents', 'reason', 'statusText']);

export function isLong(name: string, value: unknown): boolean {
  return LONG.has(name) || (typeof value === 'string' && value.includes('\n'));
}

interface Props {
  kind: Kind;
  id: string;
  name: string;
  value: unknown;
  preset: unknown;
  describedBy: string;
  onChange: (value: unknown) => void;
}

export function PlainControl({ kind, id, name, value, preset, describedBy, onChange }: Props) {
  const t = useTexts();
  const shown = value === undefined || value === null ? '' : String(value);
  const hint = preset === undefined || preset === null || preset === '' || typeof preset === 'object' ? undefined : t.editor.presetIs(String(preset));
  const common = { id, 'aria-describedby': describedBy };
  switch (kind.is) {
    case 'number':
      return <input {...common} className="field" inputMode={kind.whole ? 'numeric' : 'decimal'} autoComplete="off" value={shown} placeholder={hint} onChange={(event) => onChange(numberOf(event.target.value))} />;
    case 'flag': {
      // What counts where nothing is set is known only of fields with a default.
      if (typeof preset !== 'boolean') {
        return (
          <select {...common} className="field" value={shown} onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value === 'true')}>
            <option value="">{t.editor.unset}</option>
            <option value="true">{t.editor.yes}</option>
            <option value="false">{t.editor.no}</option>
          </select>
        );
      }
      const on = value === undefined || value === null ? preset === true : value === true || value === 'true';
      return <input {...common} type="checkbox" checked={on} onChange={(event) => onChange(event.target.checked)} />;
    }
    case 'choice': {
      const known = kind.of.some((one) => String(one.value) === shown);
      return (
        <select {...common} className="field" value={shown} onChange={(event) => onChange(kind.of.find((one) => String(one.value) === event.target.value)?.value)}>
          <option value="">{hint ?? t.editor.unset}</option>
          {!known && shown !== '' && <option value={shown}>{shown}</option>}
          {kind.of.map((one) => (
            <option key={String(one.value)} value={String(one.value)}>
              {[one.title ?? String(one.value), choiceWord(t, name, one.value) ?? one.help].filter((part) => part !== undefined).join(': ')}
            </option>
          ))}
        </select>
      );
    }
    default:
      if (isLong(name, value)) {
        const rows = Math.min(12, Math.max(2, shown.split('\n').length));
        return <textarea {...common} className="field area" rows={rows} value={shown} placeholder={hint} onChange={(event) => onChange(textOf(event.target.value))} />;
      }
      return <input {...common} className="field" autoComplete="off" list={hintsId(name)} value={shown} placeholder={hint} onChange={(event) => onChange(textOf(event.target.value))} />;
  }
}

/** An emptied field is one that is not set. */
function textOf(typed: string): string | undefined {
  return typed === '' ? undefined : typed;
}

/** A number where the text is one and would be written the same; else the text, which the check then finds. */
export function numberOf(typed: string): number | string | undefined {
  const bare = typed.trim();
  if (bare === '') return undefined;
  return String(Number(bare)) === bare && Number.isFinite(Number(bare)) ? Number(bare) : typed;
}
