// Fields that hold other fields: objects, and lists whose entries are fields themselves.

import { list, map } from '../../api/read';
import { Draw } from '../../parts/icons';
import { useTexts } from '../../texts';
import { useEditing } from './editing';
import { FieldRow } from './field';
import { FieldsForm } from './form';
import { JsonField } from './json-field';
import { restOf, withRest } from './model';
import { pathText, type Path } from './paths';
import { fieldsOf, firstValue, kindOf, type Schema } from './schema';

export function ObjectField({ root, of, path, value }: { root: Schema; of: Schema; path: Path; value: unknown }) {
  const t = useTexts();
  const { edit } = useEditing();
  const members = map(value);
  const known = new Set(fieldsOf(root, of).map((field) => field.key));
  const rest = restOf(members, known);
  if (value === undefined || value === null) {
    return (
      <div className="inner-form">
        <button type="button" className="button quiet add-entry" onClick={() => edit(path, {})}>
          + {t.editor.addEntry}
        </button>
      </div>
    );
  }
  return (
    <div className="inner-form">
      <FieldsForm root={root} schema={of} path={path} value={members} skip={NONE} />
      {typeof path.at(-1) === 'string' && (
        <button type="button" className="button quiet add-entry" onClick={() => edit(path, undefined)}>
          {t.editor.remove}
        </button>
      )}
      {Object.keys(rest).length > 0 && (
        <div className="form-row">
          <label className="form-label" htmlFor={`at${pathText(path)}-rest`}>
            {t.editor.rest}
          </label>
          <JsonField id={`at${pathText(path)}-rest`} value={rest} check={isObject} onChange={(next) => edit(path, withRest(members, known, map(next)))} />
        </div>
      )}
    </div>
  );
}

const NONE = new Set<string>();

export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function ListField({ root, of, path, value, label }: { root: Schema; of: Schema; path: Path; value: unknown; label: string }) {
  const t = useTexts();
  const { edit } = useEditing();
  const entries = list(value);
  return (
    <div className="inner-form">
      {entries.map((entry, at) => {
        const here = [...path, at];
        const name = `${label} ${at + 1}`;
        const remove = (
          <button type="button" className="button quiet" aria-label={t.editor.removeEntry(name)} title={t.editor.removeEntry(name)} onClick={() => edit(path, entries.length === 1 ? undefined : entries.filter((_, one) => one !== at))}>
            <Draw what="close" />
          </button>
        );
        const field = { key: name, label: name, help: undefined, preset: undefined, required: false, schema: of };
        return (
          <div key={at} className={kindOf(root, of, entry).is === 'fields' ? 'entry boxed' : 'entry'}>
            <FieldRow root={root} field={field} path={here} value={entry} />
            {remove}
          </div>
        );
      })}
      <button type="button" className="button quiet add-entry" onClick={() => edit(path, [...entries, firstValue(root, of)])}>
        + {t.editor.addEntry}
      </button>
    </div>
  );
}
