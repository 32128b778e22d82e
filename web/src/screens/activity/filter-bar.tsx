// The filters of the activity: a field for each, and one button that takes them all away.

import type { ReactNode } from 'react';
import { KINDS, RESULTS } from '../../api/activity';
import { useTexts } from '../../texts';
import type { Filter } from './filter';

export function FilterBar({ filter, people, onChange }: { filter: Filter; people: string[]; onChange: (filter: Filter) => void }) {
  const t = useTexts();
  const set = (key: keyof Filter, value: string) => {
    const { [key]: _, ...rest } = filter;
    onChange(value === '' ? rest : { ...rest, [key]: value });
  };
  // Somebody from a copied link who did nothing yet can be chosen all the same.
  const known = filter.who === undefined || people.includes(filter.who) ? people : [...people, filter.who];
  return (
    <div className="filters" role="search" aria-label={t.common.filter}>
      <Labelled label={t.activity.who}>
        <select className="field" value={filter.who ?? ''} onChange={(event) => set('who', event.target.value)} data-filter="who">
          <option value="">{t.activity.everybody}</option>
          {known.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </Labelled>
      <Labelled label={t.activity.kind}>
        <select className="field" value={filter.kind ?? ''} onChange={(event) => set('kind', event.target.value)} data-filter="kind">
          <option value="">{t.common.all}</option>
          {KINDS.map((one) => (
            <option key={one} value={one}>
              {t.activity.kinds[one]}
            </option>
          ))}
        </select>
      </Labelled>
      <Labelled label={t.activity.result}>
        <select className="field" value={filter.result ?? ''} onChange={(event) => set('result', event.target.value)} data-filter="result">
          <option value="">{t.common.all}</option>
          {RESULTS.map((one) => (
            <option key={one} value={one}>
              {t.activity.results[one]}
            </option>
          ))}
        </select>
      </Labelled>
      <Labelled label={t.activity.object}>
        <input className="field" type="search" value={filter.object ?? ''} placeholder={t.activity.objectHint} onChange={(event) => set('object', event.target.value)} data-filter="object" />
      </Labelled>
      <Labelled label={t.activity.from}>
        <input className="field" type="date" value={filter.from ?? ''} max={filter.to} onChange={(event) => set('from', event.target.value)} data-filter="from" />
      </Labelled>
      <Labelled label={t.activity.to}>
        <input className="field" type="date" value={filter.to ?? ''} min={filter.from} onChange={(event) => set('to', event.target.value)} data-filter="to" />
      </Labelled>
      <button type="button" className="button quiet" disabled={Object.values(filter).every((one) => one === undefined)} onClick={() => onChange({})}>
        {t.activity.clear}
      </button>
    </div>
  );
}

function Labelled({ label, children }: { label: string; children: ReactNode }) {
  return (
    <label className="form-field">
      <span className="small soft">{label}</span>
      {children}
    </label>
  );
}
