// Some of many: boxes to tick, with a filter once there are many; the ticked ones stand first.

import { useState } from 'react';
import { matches } from '../../parts/match';
import { useTexts } from '../../texts';

interface Props {
  title: string;
  none: string;
  options: { key: string; word: string; beside: string }[];
  chosen: string[];
  onPick: (key: string, inside: boolean) => void;
}

/** From so many on there is a filter, and so many are shown at most. */
const MANY = 8;
const SHOWN = 60;

export function Picker({ title, none, options, chosen, onPick }: Props) {
  const t = useTexts();
  const [typed, setTyped] = useState('');
  // The order of when it was opened: nothing jumps away beneath the pointer.
  const [first] = useState(chosen);
  const sorted = [...options].sort((a, b) => Number(first.includes(b.key)) - Number(first.includes(a.key)) || a.word.localeCompare(b.word));
  const found = sorted.filter((one) => matches(`${one.word} ${one.beside}`, typed));
  return (
    <fieldset className="picker" data-picker={title}>
      <legend>
        {title} <span className="faint">{chosen.length > 0 && chosen.length}</span>
      </legend>
      {options.length > MANY && <input className="field" type="search" value={typed} placeholder={t.common.filter} aria-label={`${t.common.filter}: ${title}`} onChange={(event) => setTyped(event.target.value)} />}
      {options.length === 0 ? (
        <p className="soft small">{none}</p>
      ) : (
        <ul className="picker-list" tabIndex={found.length > 6 ? 0 : undefined}>
          {found.slice(0, SHOWN).map((one) => (
            <li key={one.key}>
              <label className="form-tick">
                <input type="checkbox" checked={chosen.includes(one.key)} onChange={(event) => onPick(one.key, event.target.checked)} />
                <bdi>{one.word}</bdi>
                <span className="faint small cut">
                  <bdi>{one.beside}</bdi>
                </span>
              </label>
            </li>
          ))}
          {found.length > SHOWN && <li className="faint small">{t.common.shown(SHOWN, found.length)}</li>}
        </ul>
      )}
    </fieldset>
  );
}
