// The form of an object with a schema. Fields that are required, set or few stand open; the others wait behind a line; what no field knows is JSON.

import { useState } from 'react';
import type { JsonMap } from '../../api/read';
import { useTexts } from '../../texts';
import { useEditing } from './editing';
import { FieldRow } from './field';
import { JsonField } from './json-field';
import { restOf, withRest } from './model';
import { isObject } from './nested';
import { pathText, type Path } from './paths';
import { fieldsOf, type Field, type Schema } from './schema';

/** So many fields are shown at once. */
const FEW = 7;

/** Which fields stand open: decided once, so that nothing jumps while it is filled in. */
function opened(fields: Field[], value: JsonMap): Set<string> {
  const set = fields.filter((field) => field.required || value[field.key] !== undefined);
  const others = fields.filter((field) => !set.includes(field)).slice(0, Math.max(0, FEW - set.length));
  const open = fields.length <= FEW + 2 ? fields : [...set, ...others];
  return new Set(open.map((field) => field.key));
}

export function FieldsForm({ schema, path, value, skip }: { schema: Schema; path: Path; value: JsonMap; skip: Set<string> }) {
  const t = useTexts();
  const fields = fieldsOf(schema, schema).filter((field) => !skip.has(field.key));
  const [open] = useState(() => opened(fields, value));
  const more = fields.filter((field) => !open.has(field.key));
  const row = (field: Field) => <FieldRow key={field.key} root={schema} field={field} path={[...path, field.key]} value={value[field.key]} />;
  return (
    <>
      {fields.filter((field) => open.has(field.key)).map(row)}
      {more.length > 0 && (
        <details className="more">
          <summary>{t.editor.more(more.length)}</summary>
          <div className="form">{more.map(row)}</div>
        </details>
      )}
    </>
  );
}

/** What the forms above do not know: open where there is something, or where it is all there is. */
export function RestField({ path, value, known, title, help, only = false }: { path: Path; value: JsonMap; known: Set<string>; title: string; help: string; only?: boolean }) {
  const { edit } = useEditing();
  const rest = restOf(value, known);
  const [open] = useState(only || Object.keys(rest).length > 0);
  const id = `at${pathText(path)}-rest`;
  return (
    <details className="more" data-rest={pathText(path)} open={open}>
      <summary>{title}</summary>
      <div className="form-row">
        <JsonField
          id={id}
          label={title}
          value={Object.keys(rest).length === 0 ? undefined : rest}
          check={isObject}
          describedBy={`${id}-help`}
          onChange={(next) => edit(path, withRest(value, known, isObject(next) ? (next as JsonMap) : {}))}
        />
        <span id={`${id}-help`} className="small faint">
          {help}
        </span>
      </div>
    </details>
  );
}
