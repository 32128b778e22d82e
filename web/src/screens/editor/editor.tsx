// The editor of one pipeline: head, canvas, form or JSON, and beside it problems, plan and history. Nothing is saved until Save.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useReducer, useRef, useState, type KeyboardEvent } from 'react';
import { findingsQuery, functionsQuery, stageKindsQuery, type Finding } from '../../api/editor';
import { runsOfQuery } from '../../api/runs';
import { list, map, text } from '../../api/read';
import { useTexts } from '../../texts';
import { AddStage } from './add-stage';
import { Canvas } from './canvas';
import { namesOf } from './complete';
import { EditingContext, type Editing } from './editing';
import { act, begin, isChanged, textOf } from './edits';
import { Head } from './head';
import { Hints } from './hints';
import { JsonView } from './json-view';
import { focusPlace } from './jump';
import { offersOf, newStage } from './kinds';
import { useLater } from '../../parts/later';
import { AskBeforeLeaving } from './leave';
import { addStage, copyStage, emptyPipeline, freeName, pretty, removeStage, same, stageOf, stagesOf, type Doc } from './model';
import { pathText, readPath, withValue, type Path } from './paths';
import { PipelineInspector } from './pipeline-inspector';
import { SaveDialog } from './save';
import { wordsOf } from './schema';
import { Side } from './side';
import { StageInspector } from './stage-inspector';
import type { EditorSearch } from './views';
import '../../parts/mark.css';
import './editor.css';
import './fields.css';
import './side.css';

interface Props {
  application: string;
  /** As the server has it now; undefined of a new pipeline. */
  served: Doc | undefined;
  search: EditorSearch;
  onSearch: (next: EditorSearch) => void;
  /** Saves a document, leads to its address, and gives it back as the server has it. */
  onSave: (doc: Doc, letGo: () => void) => Promise<Doc>;
  /** Reads it anew. */
  onReload: () => Promise<Doc | undefined>;
}

export function Editor({ application, served, search, onSearch, onSave, onReload }: Props) {
  const t = useTexts();
  const root = useRef<HTMLDivElement>(null);
  const [edits, dispatch] = useReducer(act, undefined, () => begin(served ?? emptyPipeline(application), served));
  const [adding, setAdding] = useState(false);
  const [saving, setSaving] = useState(false);
  const [jump, setJump] = useState<{ path: Path }>();
  const reached = useRef<{ path: Path }>(undefined);
  const { doc } = edits;
  const { stage: selected, view = 'form' } = search;
  const changed = isChanged(edits);
  const unsaved = useRef(changed);
  unsaved.current = changed;
  const document = useLater(pretty(doc), 350);
  const found = useQuery({ ...findingsQuery(document), placeholderData: keepPreviousData });
  const kinds = useQuery(stageKindsQuery());
  const functions = useQuery(functionsQuery());
  const id = text(served?.id);
  const runs = useQuery({ ...runsOfQuery(application, [id], 1), enabled: id !== '' });
  const findings = useMemo(() => found.data ?? [], [found.data]);
  const show = (next: EditorSearch) => onSearch({ ...search, ...next });
  const select = (refId: string | undefined) => {
    onSearch({ ...without(search, 'stage'), ...(refId === undefined ? {} : { stage: refId }) });
    const stage = stageOf(doc, refId);
    if (view === 'json' && stage !== undefined) setJump({ path: ['stages', stage.index] });
  };

  // What somebody else saved is shown at once where nothing would be lost.
  const elsewhere = served !== undefined && edits.saved !== undefined && !same(served, edits.saved);
  useEffect(() => {
    if (elsewhere && !changed && served !== undefined) dispatch({ do: 'saved', doc: served });
  }, [elsewhere, changed, served]);

  useEffect(() => {
    // The inspector of another stage comes a moment later: then it is tried again.
    if (jump === undefined || jump === reached.current || view !== 'form' || root.current === null) return;
    if (focusPlace(root.current, jump.path)) reached.current = jump;
  }, [jump, view, selected]);

  const offers = useMemo(
    () => namesOf(list(doc.parameterConfig).map((one) => text(map(one).name)), stagesOf(doc).map((stage) => stage.name), functions.data ?? [], t.editor.words),
    [doc, functions.data, t],
  );
  const set = (next: Doc, what?: string) => dispatch({ do: 'set', doc: next, what, at: Date.now() });
  const editing: Editing = {
    application,
    doc,
    findings,
    offers,
    run: runs.data?.[0]?.id,
    edit: (path, value) => set(withValue(doc, path, value), pathText(path)),
    change: (next) => set(next),
  };
  const chosen = stageOf(doc, selected);

  const add = (type: string) => {
    const grown = addStage(doc, newStage(type, freeName(doc, wordsOf(type)), application), chosen === undefined ? ends(doc) : [chosen.refId]);
    set(grown.doc);
    setAdding(false);
    onSearch({ ...search, stage: grown.refId });
    setJump({ path: ['stages', list(grown.doc.stages).length - 1, 'name'] });
  };
  const copy = (refId: string) => {
    const grown = copyStage(doc, refId, t.editor.copyOf(stageOf(doc, refId)?.name ?? ''));
    if (grown === undefined) return;
    set(grown.doc);
    onSearch({ ...search, stage: grown.refId });
  };
  const remove = (refId: string) => {
    set(removeStage(doc, refId));
    const before = stageOf(doc, refId)?.after[0];
    if (refId === selected) onSearch({ ...without(search, 'stage'), ...(before === undefined ? {} : { stage: before }) });
    // The focus would be lost with the stage that had it.
    requestAnimationFrame(() => root.current?.querySelector<HTMLElement>(before === undefined ? '[data-add-stage]' : `[data-node="${CSS.escape(before)}"]`)?.focus());
  };
  const press = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.nativeEvent.isComposing) return;
    // What is typed in a dialog or beside the form is no part of the document.
    if (event.target instanceof Element && event.target.closest('dialog, .side') !== null) return;
    const key = event.key.toLowerCase();
    if (key === 'z') dispatch({ do: event.shiftKey ? 'redo' : 'undo' });
    else if (key === 'y') dispatch({ do: 'redo' });
    else if (key === 's' && changed && edits.error === undefined) setSaving(true);
    else return;
    event.preventDefault();
  };
  const leadTo = (finding: Finding) => {
    const path = readPath(finding.path);
    const stage = path[0] === 'stages' ? stagesOf(doc).find((one) => one.index === path[1]) : undefined;
    onSearch({ ...without(search, 'stage'), ...(stage === undefined ? {} : { stage: stage.refId }) });
    setJump({ path: path.length === 2 && stage !== undefined ? [...path, 'name'] : path });
  };
  const errors = findings.filter((one) => one.severity === 'error').length;
  const name = text(doc.name) || t.editor.unnamed;

  return (
    <EditingContext value={editing}>
      <div className="screen editor" ref={root} onKeyDown={press} data-editor={text(doc.name)} data-checked={found.isPlaceholderData || document !== pretty(doc) ? 'no' : 'yes'}>
        <Head name={name} application={application} edits={edits} changed={changed} view={view} fresh={served === undefined} onView={(next) => {
            setJump(undefined);
            show({ view: next });
          }} onUndo={() => dispatch({ do: 'undo' })} onRedo={() => dispatch({ do: 'redo' })} onSave={() => setSaving(true)} />
        {elsewhere && changed && !saving && (
          <p className="notice-line" role="status">
            {t.editor.other(text(served?.lastModifiedBy) || t.editor.somebody)}{' '}
            <button type="button" className="button" onClick={() => served !== undefined && dispatch({ do: 'saved', doc: served })}>
              {t.editor.loadOther}
            </button>
          </p>
        )}
        <Canvas selected={chosen?.refId} onSelect={select} onAdd={() => setAdding(true)} onCopy={copy} onRemove={remove} />
        <div className="editor-columns">
          {view === 'json' ? (
            <JsonView text={textOf(edits)} error={edits.error} shown={jump} onType={(typed) => dispatch({ do: 'type', text: typed, at: Date.now() })} />
          ) : chosen === undefined ? (
            <PipelineInspector />
          ) : (
            <StageInspector key={`${chosen.refId} ${chosen.type} ${kinds.isSuccess}`} stage={chosen} kinds={kinds.data} />
          )}
          <Side
            application={application}
            edits={edits}
            document={document}
            served={served}
            changed={changed}
            findings={found.data}
            failed={found.error}
            search={search}
            onSearch={onSearch}
            onJump={leadTo}
            onText={() => show({ view: 'json' })}
            onStage={(refId) => select(refId)}
            onTake={(version) => set(version)}
            onRestored={async () => {
              const fresh = await onReload();
              if (fresh !== undefined) dispatch({ do: 'saved', doc: fresh });
            }}
          />
        </div>
        {adding && <AddStage offers={offersOf(kinds.data, t)} after={chosen?.name ?? endNames(doc)} onAdd={add} onClose={() => setAdding(false)} />}
        {saving && (
          <SaveDialog
            doc={doc}
            saved={edits.saved}
            errors={errors}
            onClose={() => setSaving(false)}
            onSave={async () => {
              const kept = await onSave(doc, () => (unsaved.current = false));
              dispatch({ do: 'saved', doc: kept });
            }}
          />
        )}
        <Hints application={application} />
        <AskBeforeLeaving name={name} changed={unsaved} />
      </div>
    </EditingContext>
  );
}

/** Where a stage is added without another one selected: behind those that nothing runs after. */
function ends(doc: Doc): string[] {
  const stages = stagesOf(doc);
  return stages.filter((stage) => !stages.some((one) => one.after.includes(stage.refId))).map((stage) => stage.refId);
}

function endNames(doc: Doc): string | undefined {
  const names = ends(doc).map((refId) => stageOf(doc, refId)?.name ?? refId);
  return names.length === 0 ? undefined : names.join(', ');
}

function without(search: EditorSearch, key: keyof EditorSearch): EditorSearch {
  const { [key]: _, ...rest } = search;
  return rest;
}
