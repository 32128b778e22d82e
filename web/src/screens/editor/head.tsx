// The head of the editor: what is edited, whether it is saved, form or JSON, undo and redo, Save.

import { Link } from '@tanstack/react-router';
import { useTexts } from '../../texts';
import type { Edits } from './edits';
import { VIEWS, type View } from './views';

interface Props {
  name: string;
  application: string;
  edits: Edits;
  changed: boolean;
  view: View;
  fresh: boolean;
  onView: (view: View) => void;
  onUndo: () => void;
  onRedo: () => void;
  onSave: () => void;
}

export function Head({ name, application, edits, changed, view, fresh, onView, onUndo, onRedo, onSave }: Props) {
  const t = useTexts();
  return (
    <header className="screen-head editor-head">
      <h1>
        <Link to="/applications/$application/pipelines" params={{ application }} className="soft wide-only">
          {t.tabs.pipelines} /{' '}
        </Link>
        <bdi>{name}</bdi>
      </h1>
      <span className={changed ? 'small tone-despite' : 'small faint'} data-changed={changed ? 'yes' : 'no'}>
        {changed ? t.editor.unsaved : fresh ? t.editor.fresh : t.editor.allSaved}
      </span>
      <span className="grow" />
      <div className="switch" role="group" aria-label={t.editor.view}>
        {VIEWS.map((one) => (
          <button key={one} type="button" aria-pressed={one === view} onClick={() => onView(one)}>
            {t.editor[one]}
          </button>
        ))}
      </div>
      <button type="button" className="button" disabled={edits.past.length === 0 && edits.error === undefined} onClick={onUndo} title="Ctrl+Z">
        {t.editor.undo}
      </button>
      <button type="button" className="button" disabled={edits.future.length === 0} onClick={onRedo} title="Ctrl+Shift+Z">
        {t.editor.redo}
      </button>
      <button type="button" className="button primary" disabled={!changed || edits.error !== undefined} onClick={onSave} data-save="">
        {t.editor.save}
      </button>
    </header>
  );
}
