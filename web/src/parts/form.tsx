// The fields of a form: a label, help, and what is wrong beside the field, in the words of the validator.

import { useId, type ReactNode } from 'react';
import { useTexts } from '../texts';
import { Draw } from './icons';
import './form.css';

interface About {
  label: string;
  help?: ReactNode;
  error?: string | undefined;
  /** What is wrong is said elsewhere: beneath several fields at once. */
  invalid?: boolean;
  required?: boolean;
  wide?: boolean;
}

interface Given {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': true | undefined;
  'aria-required': true | undefined;
}

/** A group of fields, in two columns where there is room. */
export function Part({ title, children }: { title?: string; children: ReactNode }) {
  const id = useId();
  if (title === undefined) return <div className="form-part">{children}</div>;
  return (
    <section className="form-part" role="group" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {children}
    </section>
  );
}

function Field({ label, help, error, invalid = error !== undefined, required, wide, children }: About & { children: (given: Given) => ReactNode }) {
  const t = useTexts();
  const id = useId();
  const said = error === undefined && help === undefined ? undefined : `${id}-said`;
  return (
    <div className={wide ? 'form-field wide' : 'form-field'}>
      <label htmlFor={id} className="small soft">
        {label}
        {required && <span className="faint"> · {t.wizards.required}</span>}
      </label>
      {children({ id, 'aria-describedby': said, 'aria-invalid': invalid ? true : undefined, 'aria-required': required ? true : undefined })}
      <Beneath id={said} help={help} error={error} />
    </div>
  );
}

function Beneath({ id, help, error }: { id: string | undefined; help: ReactNode; error: string | undefined }) {
  if (id === undefined) return null;
  return (
    <span id={id} className={error === undefined ? 'small faint' : 'small form-error'}>
      {error ?? help}
    </span>
  );
}

interface TextProps extends About {
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  /** What may be meant: shown as one types. */
  options?: string[];
  type?: 'text' | 'email';
}

export function TextField({ value, onChange, placeholder, options, type = 'text', ...about }: TextProps) {
  const list = useId();
  return (
    <Field {...about}>
      {(given) => (
        <>
          <input {...given} className="field" type={type} value={value} placeholder={placeholder} list={options === undefined ? undefined : list} autoComplete="off" spellCheck={false} onChange={(event) => onChange(event.target.value)} />
          {options !== undefined && (
            <datalist id={list}>
              {options.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

/** JSON, or another text of some lines. */
export function TextArea({ value, onChange, placeholder, ...about }: About & { value: string; onChange: (value: string) => void; placeholder?: string }) {
  return <Field {...about}>{(given) => <textarea {...given} className="field form-json" rows={4} spellCheck={false} value={value} placeholder={placeholder} onChange={(event) => onChange(event.target.value)} />}</Field>;
}

/** A number as it is typed; empty says nothing. What it may be is the form's own word. */
export function NumberField({ value, onChange, placeholder, unit, ...about }: About & { value: string; onChange: (value: string) => void; placeholder?: string; unit?: string }) {
  return (
    <Field {...about}>
      {(given) => (
        <span className="form-number">
          <input {...given} className="field" inputMode="decimal" value={value} placeholder={placeholder} autoComplete="off" onChange={(event) => onChange(event.target.value)} />
          {unit !== undefined && <span className="small faint">{unit}</span>}
        </span>
      )}
    </Field>
  );
}

export interface Option<T extends string> {
  value: T;
  word: string;
}

export function Choice<T extends string>({ value, options, onChange, ...about }: About & { value: T; options: Option<T>[]; onChange: (value: T) => void }) {
  return (
    <Field {...about}>
      {(given) => (
        <select {...given} className="field" value={value} onChange={(event) => onChange(event.target.value as T)}>
          {options.map((one) => (
            <option key={one.value} value={one.value}>
              {one.word}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** One of a few, all of them in sight. */
export function Radios<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: Option<T>[]; onChange: (value: T) => void }) {
  const name = useId();
  return (
    <div className="form-row wide" role="radiogroup" aria-label={label}>
      {options.map((one) => (
        <label key={one.value} className="form-tick">
          <input type="radio" name={name} value={one.value} checked={one.value === value} onChange={() => onChange(one.value)} />
          <span>{one.word}</span>
        </label>
      ))}
    </div>
  );
}

export function Tick({ label, help, checked, onChange, wide }: { label: string; help?: string; checked: boolean; onChange: (checked: boolean) => void; wide?: boolean }) {
  const id = useId();
  return (
    <div className={wide ? 'form-field wide' : 'form-field'}>
      <label className="form-tick">
        <input type="checkbox" checked={checked} aria-describedby={help === undefined ? undefined : id} onChange={(event) => onChange(event.target.checked)} />
        <span>{label}</span>
      </label>
      <Beneath id={help === undefined ? undefined : id} help={help} error={undefined} />
    </div>
  );
}

/** Any of several. */
export function Ticks({ label, options, word = (one) => one, chosen, onChange, none, error, wide }: { label: string; options: string[]; word?: (option: string) => string; chosen: string[]; onChange: (chosen: string[]) => void; none: string; error?: string | undefined; wide?: boolean }) {
  const id = useId();
  return (
    <div className={wide ? 'form-field wide' : 'form-field'} role="group" aria-labelledby={id} aria-describedby={error === undefined ? undefined : `${id}-said`}>
      <span id={id} className="small soft">
        {label}
      </span>
      {options.length === 0 && <span className="small faint">{none}</span>}
      {options.map((one, at) => (
        <label key={one} className="form-tick">
          <input type="checkbox" aria-invalid={error !== undefined && at === 0 ? true : undefined} checked={chosen.includes(one)} onChange={(event) => onChange(event.target.checked ? [...chosen, one] : chosen.filter((other) => other !== one))} />
          <bdi>{word(one)}</bdi>
        </label>
      ))}
      <Beneath id={error === undefined ? undefined : `${id}-said`} help={undefined} error={error} />
    </div>
  );
}

/** Rows that come and go: each row's fields are the form's, the buttons are these. */
export function Rows<T>({ rows, add, blank, least = 0, onChange, children }: { rows: T[]; add: string; blank: T; least?: number; onChange: (rows: T[]) => void; children: (row: T, set: (row: T) => void, at: number) => ReactNode }) {
  const t = useTexts();
  return (
    <div className="form-rows wide">
      {rows.map((row, at) => (
        <div key={at} className="form-line">
          {children(row, (changed) => onChange(rows.map((other, place) => (place === at ? changed : other))), at)}
          {rows.length > least && (
            <button type="button" className="button quiet" aria-label={t.wizards.removeRow(at + 1)} title={t.wizards.removeRow(at + 1)} onClick={() => onChange(rows.filter((_, place) => place !== at))}>
              <Draw what="close" />
            </button>
          )}
        </div>
      ))}
      <button type="button" className="button" onClick={() => onChange([...rows, blank])}>
        {add}
      </button>
    </div>
  );
}

export interface Pair {
  key: string;
  value: string;
}

/** Names and values. */
export function Pairs({ rows, onChange, error, add }: { rows: Pair[]; onChange: (rows: Pair[]) => void; error: (at: number) => string | undefined; add: string }) {
  const t = useTexts();
  return (
    <Rows rows={rows} blank={{ key: '', value: '' }} add={add} onChange={onChange}>
      {(row, set, at) => (
        <>
          <TextField label={t.common.name} value={row.key} error={error(at)} onChange={(key) => set({ ...row, key })} />
          <TextField label={t.wizards.value} value={row.value} onChange={(value) => set({ ...row, value })} />
        </>
      )}
    </Rows>
  );
}
