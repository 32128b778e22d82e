// The pipeline as JSON, with line numbers. It changes graph and forms as soon as it can be read; else it says where it cannot.

import { useEffect, useRef } from 'react';
import { useTexts } from '../../texts';
import { parseJson, type JsonError, type Span } from './json';
import { pathText, type Path } from './paths';

const LINE = 18;

/** Where a place stands in the text; of a place that is not there, the nearest around it. */
export function spanOf(text: string, path: Path): Span | undefined {
  const read = parseJson(text);
  if (!read.ok) return undefined;
  for (let length = path.length; length >= 0; length--) {
    const span = read.places.get(pathText(path.slice(0, length)));
    if (span !== undefined) return span;
  }
  return undefined;
}

interface Props {
  text: string;
  error: JsonError | undefined;
  /** The place to show; a new object each time that it is asked for. */
  shown: { path: Path } | undefined;
  onType: (text: string) => void;
}

export function JsonView({ text, error, shown, onType }: Props) {
  const t = useTexts();
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = text.split('\n').length;
  const latest = useRef(text);
  latest.current = text;
  useEffect(() => {
    const span = shown === undefined ? undefined : spanOf(latest.current, shown.path);
    const element = area.current;
    if (span === undefined || element === null) return;
    element.focus({ preventScroll: true });
    element.setSelectionRange(span.from, span.to);
    const line = latest.current.slice(0, span.from).split('\n').length;
    element.closest('.json-box')?.scrollTo({ top: Math.max(0, (line - 4) * LINE) });
  }, [shown]);
  return (
    <section className="json-view" aria-label={t.editor.json}>
      <p className="small tone-bad json-wrong" role="status" id="json-wrong">
        {error !== undefined && t.editor.notJson(error.line, error.column, t.editor.wrong[error.what])}
      </p>
      <div className="json-box">
        <pre className="json-numbers" aria-hidden="true">
          {Array.from({ length: lines }, (_, at) => (
            <span key={at} className={error?.line === at + 1 ? 'wrong' : undefined}>
              {at + 1}
              {'\n'}
            </span>
          ))}
        </pre>
        <textarea
          ref={area}
          className="json-text"
          style={{ height: lines * LINE + 24 }}
          value={text}
          wrap="off"
          spellCheck={false}
          autoComplete="off"
          aria-label={t.editor.jsonText}
          aria-invalid={error !== undefined}
          aria-describedby={error === undefined ? undefined : 'json-wrong'}
          onChange={(event) => onType(event.target.value)}
        />
      </div>
    </section>
  );
}
