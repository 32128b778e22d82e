// A value as JSON text. It changes the document as soon as it can be read; until then it says where it cannot.

import { useState } from 'react';
import { useTexts } from '../../texts';
import { parseJson } from './json';
import { pretty, same } from './model';

interface Draft {
  text: string;
  /** What the document held when this was typed; anything else since then wins over the draft. */
  of: unknown;
  error: string | undefined;
}

export function JsonField({ id, value, onChange, describedBy, label, check }: { id: string; value: unknown; onChange: (value: unknown) => void; describedBy?: string; label?: string; check?: (value: unknown) => boolean }) {
  const t = useTexts();
  const [draft, setDraft] = useState<Draft>();
  const current = draft !== undefined && same(draft.of, value) ? draft : undefined;
  const text = current?.text ?? (value === undefined ? '' : pretty(value));
  const type = (next: string) => {
    if (next.trim() === '') {
      setDraft({ text: next, of: undefined, error: undefined });
      onChange(undefined);
      return;
    }
    const read = parseJson(next);
    if (!read.ok) {
      const { line, column, what } = read.error;
      setDraft({ text: next, of: value, error: t.editor.notJson(line, column, t.editor.wrong[what]) });
    } else if (check !== undefined && !check(read.value)) {
      setDraft({ text: next, of: value, error: t.editor.notJson(1, 1, t.editor.wrong.value) });
    } else {
      setDraft({ text: next, of: read.value, error: undefined });
      onChange(read.value);
    }
  };
  const wrong = `${id}-wrong`;
  return (
    <>
      <textarea
        id={id}
        className="field area mono"
        rows={Math.min(16, Math.max(2, text.split('\n').length))}
        value={text}
        spellCheck={false}
        aria-label={label}
        aria-invalid={current?.error !== undefined}
        aria-describedby={current?.error === undefined ? describedBy : wrong}
        onChange={(event) => type(event.target.value)}
      />
      {current?.error !== undefined && (
        <span id={wrong} className="small tone-bad" role="alert">
          {current.error}
        </span>
      )}
    </>
  );
}
