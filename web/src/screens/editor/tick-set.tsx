// Any of several, at a place of the document: what is chosen and no longer there can be taken away, too.

import { findingsAt, useEditing, worst } from './editing';
import { Wrongs } from './field';
import { pathText, type Path } from './paths';

export interface TickOption {
  value: string;
  word: string;
  /** Why it cannot be chosen. */
  barred?: string | undefined;
}

export function TickSet({ legend, path, options, chosen, none, onToggle }: { legend: string; path: Path; options: TickOption[]; chosen: string[]; none?: string; onToggle: (value: string, on: boolean) => void }) {
  const { findings } = useEditing();
  const wrong = findingsAt(findings, path, true);
  return (
    <fieldset className="form-row" data-path={pathText(path)} data-wrong={worst(wrong)} tabIndex={-1}>
      <legend className="form-label">{legend}</legend>
      {options.length === 0 && none !== undefined && <span className="faint small">{none}</span>}
      <div className="ticks">
        {options.map(({ value, word, barred }) => {
          const on = chosen.includes(value);
          const may = on || barred === undefined;
          return (
            <label key={value} className={may ? 'tick' : 'tick faint'} title={may ? undefined : barred}>
              <input type="checkbox" checked={on} disabled={!may} onChange={() => onToggle(value, !on)} />
              <bdi>{word}</bdi>
            </label>
          );
        })}
        {chosen
          .filter((value) => !options.some((one) => one.value === value))
          .map((value) => (
            <label key={value} className="tick tone-bad">
              <input type="checkbox" checked onChange={() => onToggle(value, false)} />
              <code>{value}</code>
            </label>
          ))}
      </div>
      <Wrongs findings={wrong} />
    </fieldset>
  );
}
