// What changes between two documents, line by line of their JSON.

import { useMemo } from 'react';
import { useTexts } from '../../texts';
import { diffLines, shortened } from './diff';
import { pretty } from './model';

export function DiffView({ before, after }: { before: unknown; after: unknown }) {
  const t = useTexts();
  const old = before === undefined ? '' : pretty(before);
  const now = pretty(after);
  const parts = useMemo(() => shortened(diffLines(old, now)), [old, now]);
  if (old === now) return <p className="small soft">{t.editor.equal}</p>;
  return (
    <div className="diff" role="group" aria-label={t.editor.diff} tabIndex={0}>
      {parts.map((part, at) =>
        'skipped' in part ? (
          <div key={at} className="diff-skipped faint small">
            {t.editor.lines(part.skipped)}
          </div>
        ) : (
          <div key={at} className={part.sign === '+' ? 'diff-line added' : part.sign === '-' ? 'diff-line removed' : 'diff-line'}>
            <span className="diff-number">{part.before}</span>
            <span className="diff-number">{part.after}</span>
            <code>
              {part.sign} {part.text}
            </code>
          </div>
        ),
      )}
    </div>
  );
}
