// The selected stage: its name, what it runs after, the fields of its type, those of every stage, and what no form knows.

import type { StageKinds } from '../../api/editor';
import { map } from '../../api/read';
import { wordOf } from '../../parts/word';
import { useTexts } from '../../texts';
import { withArtifactForms } from './artifact-forms';
import { findingsAt, useEditing } from './editing';
import { Wrongs } from './field';
import { StageType } from './field-names';
import { FieldsForm, RestField } from './form';
import { connect, disconnect, mayConnect, moveEntry, stagesOf, type StageOf } from './model';
import { Notifications } from './notifications';
import { pathText, type Path } from './paths';
import { TickSet } from './tick-set';

/** What the inspector itself shows of a stage. */
const OWN = new Set(['refId', 'requisiteStageRefIds', 'type', 'name', 'sendNotifications', 'notifications']);

/** What is put into a stage while it runs: nothing to write beforehand. */
const WHILE_IT_RUNS = ['judgmentStatus', 'judgmentInput', 'skipRemainingWait'];

const NOT_HERE = new Set([...OWN, ...WHILE_IT_RUNS]);

/** What every stage may have and hardly any has: shown as JSON where it is set. */
const SELDOM = ['inject', 'isNew', 'dependsOn', 'alias', 'group'];

export function StageInspector({ stage, kinds }: { stage: StageOf; kinds: StageKinds | undefined }) {
  const t = useTexts();
  const { doc, edit, change, findings } = useEditing();
  const path: Path = ['stages', stage.index];
  const about = wordOf(t.stageKinds, stage.type);
  const schema = kinds?.kinds.get(stage.type);
  const common = map(kinds?.common);
  const specific = Object.keys(map(schema?.properties)).filter((key) => !WHILE_IT_RUNS.includes(key));
  // Fields that a type has and every stage too are shown once, with the type's.
  const skipCommon = new Set([...OWN, ...specific, ...SELDOM]);
  const known = new Set([...OWN, ...specific, ...Object.keys(map(common.properties)).filter((key) => !SELDOM.includes(key))]);
  const count = stagesOf(doc).length;
  return (
    <section className="inspector" aria-label={`${t.editor.stage}: ${stage.name}`} data-inspector="stage">
      <header className="inspector-head" data-path={pathText([...path, 'type'])} tabIndex={-1}>
        <h2 className="grow cut">
          <bdi>{stage.name}</bdi>
        </h2>
        <code className="soft">{stage.type}</code>
        <button type="button" className="button quiet" aria-label={t.editor.earlier} title={t.editor.earlier} disabled={stage.index === 0} onClick={() => change(moveEntry(doc, 'stages', stage.index, -1))}>
          ↑
        </button>
        <button type="button" className="button quiet" aria-label={t.editor.later} title={t.editor.later} disabled={stage.index === count - 1} onClick={() => change(moveEntry(doc, 'stages', stage.index, 1))}>
          ↓
        </button>
      </header>
      {about !== undefined && <p className="soft small">{about}</p>}
      <Wrongs findings={[...findingsAt(findings, path, false), ...findingsAt(findings, [...path, 'type'], true), ...findingsAt(findings, [...path, 'refId'], true)]} />
      <div className="form">
        <div className="form-row" data-path={pathText([...path, 'name'])}>
          <label className="form-label" htmlFor="stage-name">
            {t.editor.name}
          </label>
          <input id="stage-name" className="field" value={typeof stage.config.name === 'string' ? stage.config.name : ''} autoComplete="off" onChange={(event) => edit([...path, 'name'], event.target.value)} />
          <Wrongs findings={findingsAt(findings, [...path, 'name'], true)} />
        </div>
        <RunsAfter stage={stage} />
        {schema !== undefined && (
          <StageType value={stage.type}>
            <FieldsForm schema={withArtifactForms(schema, t)} path={path} value={stage.config} skip={NOT_HERE} />
          </StageType>
        )}
        {schema === undefined && kinds !== undefined && <p className="faint small">{t.editor.noForm}</p>}
        {Object.keys(map(common.properties)).length > 0 && (
          <details className="more">
            <summary>{t.editor.forAll}</summary>
            <div className="form">
              <StageType value={stage.type}>
                <FieldsForm schema={withArtifactForms(common, t)} path={path} value={stage.config} skip={skipCommon} />
              </StageType>
            </div>
          </details>
        )}
        <Notifications of={path} stageType={stage.type} />
        <RestField path={path} value={stage.config} known={known} title={schema === undefined ? t.editor.config : t.editor.rest} help={schema === undefined ? t.editor.configHelp : t.editor.restHelp} only={schema === undefined} />
      </div>
    </section>
  );
}

function RunsAfter({ stage: here }: { stage: StageOf }) {
  const t = useTexts();
  const { doc, change } = useEditing();
  const others = stagesOf(doc).filter((one) => one.refId !== here.refId);
  const options = others.map((one) => ({ value: one.refId, word: one.name, barred: mayConnect(doc, one.refId, here.refId) ? undefined : t.editor.afterCircle }));
  return (
    <TickSet
      legend={t.editor.after}
      path={['stages', here.index, 'requisiteStageRefIds']}
      options={options}
      chosen={here.after}
      none={t.editor.afterNone}
      onToggle={(ref, on) => change(on ? connect(doc, ref, here.refId) : disconnect(doc, ref, here.refId))}
    />
  );
}
