// The parameters: what whoever starts the pipeline is asked for. A card for each.

import { flag, list, map, text, type JsonMap } from '../../api/read';
import { Draw } from '../../parts/icons';
import { useTexts } from '../../texts';
import { findingsAt, useEditing } from './editing';
import { Wrongs } from './field';
import { moveEntry } from './model';
import { pathText, type Path } from './paths';

export function Parameters() {
  const t = useTexts();
  const { doc, edit } = useEditing();
  const all = list(doc.parameterConfig).map(map);
  const add = () => {
    const taken = new Set(all.map((one) => text(one.name)));
    let number = all.length + 1;
    while (taken.has(`parameter${number}`)) number++;
    edit(['parameterConfig'], [...list(doc.parameterConfig), { name: `parameter${number}`, default: '', required: false }]);
  };
  return (
    <section className="part" data-path="$.parameterConfig" tabIndex={-1}>
      <h3>{t.editor.parameters}</h3>
      {all.length === 0 && <p className="faint small">{t.editor.noParameters}</p>}
      {all.map((one, at) => (
        <Parameter key={at} parameter={one} at={at} of={all.length} />
      ))}
      <button type="button" className="button" onClick={add}>
        + {t.editor.addParameter}
      </button>
    </section>
  );
}

function Parameter({ parameter, at, of }: { parameter: JsonMap; at: number; of: number }) {
  const t = useTexts();
  const { doc, edit, change, findings } = useEditing();
  const path: Path = ['parameterConfig', at];
  const name = text(parameter.name);
  const options = list(parameter.options).map((one) => text(map(one).value));
  const setOptions = (typed: string) => {
    const lines = typed.split('\n');
    const values = typed === '' ? [] : lines.map((value, line) => ({ ...map(list(parameter.options)[line]), value }));
    edit(path, { ...parameter, hasOptions: values.length > 0, options: values });
  };
  const field = (key: string, label: string) => (
    <label className="form-row" data-path={pathText([...path, key])}>
      <span className="form-label">{label}</span>
      <input className="field" value={text(parameter[key])} autoComplete="off" onChange={(event) => edit([...path, key], event.target.value === '' && key !== 'name' && key !== 'default' ? undefined : event.target.value)} />
    </label>
  );
  return (
    <div className="card" role="group" aria-label={t.editor.parameter(name)} data-path={pathText(path)} data-parameter={name}>
      <div className="card-fields">
        {field('name', t.editor.name)}
        {field('label', t.editor.label)}
        {field('default', t.editor.preset)}
        {field('description', t.editor.description)}
        <label className="form-row" data-path={pathText([...path, 'options'])}>
          <span className="form-label">{t.editor.options}</span>
          <textarea className="field area" rows={Math.max(2, options.length)} value={options.join('\n')} title={t.editor.optionsHelp} placeholder={t.editor.optionsHelp} onChange={(event) => setOptions(event.target.value)} />
        </label>
        <label className="tick" data-path={pathText([...path, 'required'])}>
          <input type="checkbox" checked={flag(parameter.required)} onChange={(event) => edit([...path, 'required'], event.target.checked)} />
          {t.editor.required}
        </label>
      </div>
      <Wrongs findings={findingsAt(findings, path, true)} />
      <CardButtons name={t.editor.parameter(name)} first={at === 0} last={at === of - 1} onMove={(by) => change(moveEntry(doc, 'parameterConfig', at, by))} onRemove={() => edit(path, undefined)} />
    </div>
  );
}

export function CardButtons({ name, first, last, onMove, onRemove }: { name: string; first: boolean; last: boolean; onMove: (by: number) => void; onRemove: () => void }) {
  const t = useTexts();
  return (
    <div className="card-buttons">
      <button type="button" className="button quiet" disabled={first} aria-label={`${t.editor.earlier}: ${name}`} title={t.editor.earlier} onClick={() => onMove(-1)}>
        ↑
      </button>
      <button type="button" className="button quiet" disabled={last} aria-label={`${t.editor.later}: ${name}`} title={t.editor.later} onClick={() => onMove(1)}>
        ↓
      </button>
      <button type="button" className="button quiet" aria-label={t.editor.removeEntry(name)} title={t.editor.removeEntry(name)} onClick={onRemove}>
        <Draw what="close" />
      </button>
    </div>
  );
}
