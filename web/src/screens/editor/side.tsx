// Beside the form: the problems, the plan of a run, the history. Which one is open stands in the address.

import type { Finding } from '../../api/editor';
import { text } from '../../api/read';
import { useTexts } from '../../texts';
import type { Edits } from './edits';
import { History } from './history';
import { takenFrom, type Doc } from './model';
import { Plan } from './plan';
import { Problems } from './problems';
import { PANELS, type EditorSearch } from './views';

interface Props {
  application: string;
  edits: Edits;
  /** The document's text, some time after it has come to rest. */
  document: string;
  served: Doc | undefined;
  changed: boolean;
  findings: Finding[] | undefined;
  failed: Error | null;
  search: EditorSearch;
  onSearch: (next: EditorSearch) => void;
  onJump: (finding: Finding) => void;
  onText: () => void;
  onStage: (refId: string) => void;
  onTake: (version: Doc) => void;
  onRestored: () => Promise<void>;
}

export function Side({ application, edits, document, served, changed, findings, failed, search, onSearch, onJump, onText, onStage, onTake, onRestored }: Props) {
  const t = useTexts();
  const { panel = 'problems' } = search;
  const count = (findings?.length ?? 0) + (edits.error === undefined ? 0 : 1);
  const { doc } = edits;
  return (
    <aside className="side" aria-label={t.editor.panel}>
      <div className="switch" role="group" aria-label={t.editor.panel}>
        {PANELS.map((one) => (
          <button key={one} type="button" aria-pressed={one === panel} data-panel={one} onClick={() => onSearch({ ...search, panel: one })}>
            {t.editor[one]}
            {one === 'problems' && count > 0 && <span className={bad(findings, edits) ? 'tone-bad' : 'soft'}> {count}</span>}
          </button>
        ))}
      </div>
      <div className="side-body">
        {panel === 'problems' && <Problems doc={doc} findings={findings} failed={failed} error={edits.error} onJump={onJump} onText={onText} />}
        {panel === 'plan' && <Plan doc={doc} document={document} onStage={onStage} />}
        {panel === 'history' && (
          <History
            application={application}
            name={served === undefined ? undefined : text(served.name)}
            doc={doc}
            changed={changed}
            version={search.version}
            onVersion={(version) => {
              const { version: _, ...rest } = search;
              onSearch(version === undefined ? rest : { ...rest, version });
            }}
            onTake={(version) => onTake(takenFrom(version, edits.saved ?? doc))}
            onRestored={onRestored}
          />
        )}
      </div>
    </aside>
  );
}

function bad(findings: Finding[] | undefined, edits: Edits): boolean {
  return edits.error !== undefined || findings?.some((one) => one.severity === 'error') === true;
}
