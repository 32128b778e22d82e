// The pipeline as a whole: name, description, how it runs, parameters, triggers, expected artifacts, notifications, and what no form knows.

import type { ReactNode } from 'react';
import { text } from '../../api/read';
import { useTexts } from '../../texts';
import { Artifacts } from './artifacts';
import { findingsAt, useEditing } from './editing';
import { Wrongs } from './field';
import { RestField } from './form';
import { KEPT_BY_SERVER } from './model';
import { Notifications } from './notifications';
import { Parameters } from './parameters';
import { pathText } from './paths';
import { Triggers } from './triggers';

const KNOWN = new Set([...KEPT_BY_SERVER, 'application', 'name', 'description', 'stages', 'triggers', 'parameterConfig', 'expectedArtifacts', 'notifications', 'limitConcurrent', 'keepWaitingPipelines', 'disabled']);

export function PipelineInspector() {
  const t = useTexts();
  const { doc, edit, findings } = useEditing();
  return (
    <section className="inspector" aria-label={t.editor.whole} data-inspector="pipeline">
      <h2>{t.editor.whole}</h2>
      <Wrongs findings={findingsAt(findings, [], false)} />
      <div className="form">
        <Row name="name" label={t.editor.name}>
          <input id="at-name" className="field" value={text(doc.name)} autoComplete="off" onChange={(event) => edit(['name'], event.target.value)} />
        </Row>
        <Row name="description" label={t.editor.description}>
          <textarea id="at-description" className="field area" rows={2} value={text(doc.description)} onChange={(event) => edit(['description'], event.target.value === '' ? undefined : event.target.value)} />
        </Row>
        <Tick name="limitConcurrent" label={t.editor.limitConcurrent} help={t.editor.limitHelp} />
        <Tick name="keepWaitingPipelines" label={t.editor.keepWaiting} help={t.editor.keepHelp} />
        <Tick name="disabled" label={t.editor.disabled} help={t.editor.disabledHelp} />
      </div>
      <Parameters />
      <Triggers />
      <Artifacts />
      <Notifications />
      <div className="form">
        <RestField path={[]} value={doc} known={KNOWN} title={t.editor.rest} help={t.editor.restHelp} />
      </div>
    </section>
  );
}

function Row({ name, label, children }: { name: string; label: string; children: ReactNode }) {
  const { findings } = useEditing();
  return (
    <div className="form-row" data-path={pathText([name])}>
      <label className="form-label" htmlFor={`at-${name}`}>
        {label}
      </label>
      {children}
      <Wrongs findings={findingsAt(findings, [name], true)} />
    </div>
  );
}

function Tick({ name, label, help }: { name: string; label: string; help: string }) {
  const { doc, edit, findings } = useEditing();
  return (
    <div className="form-row" data-path={pathText([name])}>
      <label className="tick">
        <input type="checkbox" checked={doc[name] === true || doc[name] === 'true'} aria-describedby={`at-${name}-help`} onChange={(event) => edit([name], event.target.checked)} />
        {label}
      </label>
      <span id={`at-${name}-help`} className="small faint">
        {help}
      </span>
      <Wrongs findings={findingsAt(findings, [name], true)} />
    </div>
  );
}
