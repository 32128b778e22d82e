// What the check found, each a button that leads to the stage and the field.

import type { Finding } from '../../api/editor';
import { useTexts } from '../../texts';
import type { JsonError } from './json';
import { stagesOf, type Doc } from './model';
import { readPath } from './paths';

interface Props {
  doc: Doc;
  findings: Finding[] | undefined;
  failed: Error | null;
  error: JsonError | undefined;
  onJump: (finding: Finding) => void;
  onText: () => void;
}

const TONES = { error: 'bad', warning: 'despite', hint: 'notrun' } as const;

export function Problems({ doc, findings, failed, error, onJump, onText }: Props) {
  const t = useTexts();
  const stages = stagesOf(doc);
  return (
    <div className="problems">
      {error !== undefined && (
        <button type="button" className="problem" data-problem="json" onClick={onText}>
          <span className="tone-bad strong small">{t.editor.severity.error}</span>
          <span>{t.editor.notJson(error.line, error.column, t.editor.wrong[error.what])}</span>
          <span className="small faint">{t.editor.jsonWrong}</span>
        </button>
      )}
      {failed !== null && <p className="small tone-bad">{t.editor.notChecked(failed.message)}</p>}
      {findings === undefined && failed === null && <p className="small faint">{t.editor.checking}…</p>}
      {findings?.length === 0 && error === undefined && <p className="small soft">{t.editor.noProblems}</p>}
      {findings?.map((one) => {
        const path = readPath(one.path);
        const stage = path[0] === 'stages' ? stages.find((each) => each.index === path[1]) : undefined;
        return (
          <button key={`${one.path} ${one.message}`} type="button" className="problem" data-problem={one.path} onClick={() => onJump(one)}>
            <span className={`tone-${TONES[one.severity]} strong small`}>
              {t.editor.severity[one.severity]}
              {stage !== undefined && (
                <span className="soft">
                  {' · '}
                  <bdi>{stage.name}</bdi>
                </span>
              )}
            </span>
            <span>{one.message}</span>
            {one.help !== undefined && <span className="small soft problem-help">{one.help}</span>}
            <code className="small faint">{one.path}</code>
          </button>
        );
      })}
    </div>
  );
}
