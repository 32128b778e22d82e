// The form of an object with a schema. Fields that are required, set or few stand open; the others wait behind a line; what no field knows is JSON.

import { useContext, useState } from 'react';
import type { JsonMap } from '../../api/read';
import { useTexts } from '../../texts';
import { useEditing } from './editing';
import { FieldRow } from './field';
import { StageType, namingAt } from './field-names';
import { JsonField } from './json-field';
import { restOf, withRest } from './model';
import { isObject } from './nested';
import { pathText, type Path } from './paths';
import { arranged, fieldsOf, type Schema } from './schema';


export function FieldsForm({ schema, root = schema, path, value, skip }: { schema: Schema; root?: Schema; path: Path; value: JsonMap; skip: Set<string> }) {
  const t = useTexts();
  const naming = namingAt(t, useContext(StageType), path);
  const fields = new Map(fieldsOf(root, schema, naming).filter((field) => !skip.has(field.key)).map((field) => [field.key, field]));
  // Decided once, so that nothing jumps while it is filled in.
  const [{ open, more }] = useState(() => arranged([...fields.values()], value));
  const row = (key: string) => {
    const field = fields.get(key);
    return field !== undefined && <FieldRow key={key} root={root} field={field} path={[...path, key]} value={value[key]} />;
  };
  return (
    <>
      {open.map(row)}
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
    <details className="more" data-rest={pathText(path)} data-path={pathText(path)} open={open}>
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
