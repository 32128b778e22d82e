// One field of a form: its label, the control that suits its schema, the switch to an expression, its help, and what is wrong with it.

import { useState } from 'react';
import type { Finding } from '../../api/editor';
import { useTexts } from '../../texts';
import { findingsAt, useEditing, worst } from './editing';
import { ExpressionField } from './expression';
import { JsonField } from './json-field';
import { ListField, ObjectField } from './nested';
import { PlainControl, isLong } from './plain';
import { pathText, type Path } from './paths';
import { fits, isExpression, kindOf, type Field, type Schema } from './schema';

export function FieldRow({ root, field, path, value }: { root: Schema; field: Field; path: Path; value: unknown }) {
  const t = useTexts();
  const { edit, findings } = useEditing();
  const [chosen, setChosen] = useState(() => isExpression(value));
  const [caret, setCaret] = useState<number>();
  const kind = kindOf(root, field.schema, value);
  const name = path.filter((step) => typeof step === 'string').at(-1) ?? field.key;
  const asExpression = chosen || (isExpression(value) && kind.is !== 'text' && kind.is !== 'number');
  const asJson = !asExpression && !fits(kind, value);
  const nested = !asExpression && !asJson && (kind.is === 'list' || kind.is === 'fields');
  const wrong = findingsAt(findings, path, !nested);
  const short = !asExpression && !asJson && (kind.is === 'number' || kind.is === 'choice' || kind.is === 'flag' || (kind.is === 'text' && !isLong(name, value)));
  const id = `at${pathText(path)}`;
  const help = `${id}-help`;
  // An emptied entry of a list stays an entry.
  const set = (next: unknown) => edit(path, next === undefined && typeof path.at(-1) === 'number' ? '' : next);
  // Who begins an expression in a plain field goes on in one for expressions, at the same place.
  const type = (next: unknown) => {
    if (isExpression(next)) {
      const at = document.activeElement;
      setCaret(at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement ? (at.selectionStart ?? next.length) : next.length);
      setChosen(true);
    }
    set(next);
  };
  const flip = () => {
    setCaret(undefined);
    // An expression is no value of any other kind than text.
    if (asExpression && isExpression(value) && kind.is !== 'text') set(undefined);
    setChosen(!asExpression);
  };
  const heading = (
    <>
      {field.label}
      {field.required && <span className="faint"> · {t.pipelines.required}</span>} {field.label !== field.key && <code className="faint key">{field.key}</code>}
    </>
  );
  const flag = kind.is === 'flag' && typeof field.preset === 'boolean' && !asExpression && !asJson;
  return (
    <div className={nested ? 'form-row nested' : short ? 'form-row short' : 'form-row'} data-path={pathText(path)} data-wrong={worst(wrong)} tabIndex={nested ? -1 : undefined} role={nested ? 'group' : undefined} aria-label={nested ? field.label : undefined}>
      <div className="form-head">
        {flag && <PlainControl kind={kind} id={id} name={name} value={value} preset={field.preset} describedBy={help} onChange={set} />}
        {nested ? <span className="form-label grow">{heading}</span> : (
          <label className="form-label grow" htmlFor={id}>
            {heading}
          </label>
        )}
        <button type="button" className="flip" aria-pressed={asExpression} aria-label={`${t.editor.expression}: ${field.label}`} title={asExpression ? t.editor.noExpression : t.editor.expression} onClick={flip}>
          ƒ
        </button>
      </div>
      {asExpression ? (
        <ExpressionField id={id} value={value} caret={caret} describedBy={help} onChange={set} />
      ) : asJson || kind.is === 'json' ? (
        <JsonField id={id} value={value} describedBy={help} onChange={set} />
      ) : kind.is === 'list' ? (
        <ListField root={root} of={kind.of} path={path} value={value} label={field.label} />
      ) : kind.is === 'fields' ? (
        <ObjectField root={root} of={kind.of} path={path} value={value} />
      ) : (
        !flag && <PlainControl kind={kind} id={id} name={name} value={value} preset={field.preset} describedBy={help} onChange={type} />
      )}
      <div id={help} className="form-help">
        {field.help !== undefined && <span className="small faint">{field.help}</span>}
        <Wrongs findings={wrong} />
      </div>
    </div>
  );
}

export function Wrongs({ findings }: { findings: Finding[] }) {
  const t = useTexts();
  return (
    <>
      {findings.map((one) => (
        <span key={`${one.path} ${one.message}`} className={`small tone-${one.severity === 'error' ? 'bad' : one.severity === 'warning' ? 'despite' : 'notrun'}`}>
          {t.editor.severity[one.severity]}: {one.message}
          {one.help !== undefined && ` (${one.help})`}
        </span>
      ))}
    </>
  );
}
