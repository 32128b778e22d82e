// The triggers: how the pipeline starts by itself. A card for each, with a form by its type; a cron one tells when it fires next.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { cronQuery, documentsQuery } from '../../api/editor';
import { applicationsQuery } from '../../api/queries';
import { list, map, text, type JsonMap } from '../../api/read';
import { triggerName } from '../../parts/started';
import { exact } from '../../parts/time';
import { wordOf } from '../../parts/word';
import { useLanguage, useTexts } from '../../texts';
import { askedBy, asking, expectedOf } from './artifact-forms';
import { findingsAt, useEditing } from './editing';
import { Wrongs } from './field';
import { FieldsForm, RestField } from './form';
import { useLater } from '../../parts/later';
import { moveEntry } from './model';
import { CardButtons } from './parameters';
import { pathText, type Path } from './paths';
import { TickSet } from './tick-set';
import { TRIGGERS, newTrigger, triggerSchema, type TriggerType } from './trigger-forms';

const OWN = new Set(['type', 'enabled', 'id', 'expectedArtifactIds']);

export function Triggers() {
  const t = useTexts();
  const { application, doc, edit } = useEditing();
  const [type, setType] = useState<TriggerType>('cron');
  const all = list(doc.triggers).map(map);
  return (
    <section className="part" data-path="$.triggers" tabIndex={-1}>
      <h3>{t.editor.triggers}</h3>
      {all.length === 0 && <p className="faint small">{t.editor.noTriggers}</p>}
      {all.map((one, at) => (
        <Trigger key={`${at} ${text(one.type)} ${all.length}`} trigger={one} at={at} of={all.length} />
      ))}
      <div className="row wrap">
        <select className="field" value={type} aria-label={t.editor.type} onChange={(event) => setType(event.target.value as TriggerType)}>
          {TRIGGERS.map((one) => (
            <option key={one} value={one}>
              {t.editor.triggerNames[one]}: {t.editor.triggerKinds[one]}
            </option>
          ))}
        </select>
        <button type="button" className="button" onClick={() => edit(['triggers'], [...list(doc.triggers), newTrigger(type, application)])}>
          + {t.editor.addTrigger}
        </button>
      </div>
    </section>
  );
}

function Trigger({ trigger, at, of }: { trigger: JsonMap; at: number; of: number }) {
  const t = useTexts();
  const { application, doc, edit, change, findings } = useEditing();
  const path: Path = ['triggers', at];
  const type = text(trigger.type);
  const followed = type === 'pipeline';
  const applications = useQuery({ ...applicationsQuery(), enabled: followed });
  const pipelines = useQuery({ ...documentsQuery(text(trigger.application) || application), enabled: followed });
  const named = (pipelines.data ?? []).map((one) => ({ id: text(one.id), name: text(one.name) }));
  const schema = triggerSchema(type, t, (applications.data ?? []).map((one) => one.name), named);
  const known = new Set([...OWN, ...Object.keys(map(schema?.properties))]);
  const called = triggerName(type, t);
  const name = t.editor.trigger(called, at + 1);
  return (
    <div className="card" role="group" aria-label={name} data-path={pathText(path)} data-trigger={type}>
      <div className="row">
        <span className="strong">{called}</span>
        {called !== type && <code className="faint">{type}</code>}
        <span className="soft small grow">{wordOf(t.editor.triggerKinds, type)}</span>
        <label className="tick">
          <input type="checkbox" checked={trigger.enabled !== false} onChange={(event) => edit([...path, 'enabled'], event.target.checked)} />
          {t.editor.enabled}
        </label>
      </div>
      <Wrongs findings={[...findingsAt(findings, path, false), ...findingsAt(findings, [...path, 'type'], true)]} />
      <div className="form">
        {type === 'cron' && <NextTimes expression={text(trigger.cronExpression)} zone={text(trigger.timeZone)} />}
        {schema !== undefined && <FieldsForm schema={schema} path={path} value={trigger} skip={OWN} />}
        <MustBring trigger={trigger} path={path} />
        {(schema === undefined || Object.keys(trigger).some((key) => !known.has(key))) && <RestField path={path} value={trigger} known={known} title={t.editor.rest} help={t.editor.restHelp} />}
      </div>
      <CardButtons name={name} first={at === 0} last={at === of - 1} onMove={(by) => change(moveEntry(doc, 'triggers', at, by))} onRemove={() => edit(path, undefined)} />
    </div>
  );
}

/** The artifacts that an event must bring. Nothing where the pipeline expects none. */
function MustBring({ trigger, path }: { trigger: JsonMap; path: Path }) {
  const t = useTexts();
  const { doc, edit } = useEditing();
  const place = [...path, 'expectedArtifactIds'];
  const expected = expectedOf(doc);
  const asked = askedBy(trigger);
  if (expected.length === 0 && asked.length === 0) return null;
  return <TickSet legend={t.artifacts.mustBring} path={place} options={expected.map(({ id, word }) => ({ value: id, word }))} chosen={asked} onToggle={(id, on) => edit(place, asking(trigger, id, on))} />;
}

function NextTimes({ expression, zone }: { expression: string; zone: string }) {
  const { language, t } = useLanguage();
  const asked = useLater(expression, 300);
  const told = useQuery({ ...cronQuery(asked, useLater(zone, 300)), enabled: asked !== '' && !asked.includes('${') });
  if (told.data === undefined || !told.data.valid || asked !== expression) return null;
  return (
    <div className="small">
      <p className="soft">{told.data.description}</p>
      <p className="faint">
        {t.editor.cronNext}: {told.data.next.map((at) => exact(at, language)).join(' · ')}
      </p>
    </div>
  );
}
