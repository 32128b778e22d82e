// Who is told of a pipeline or of a stage: a card for each with its address, of what it tells, and its own words for each of these.

import { useState } from 'react';
import { list, map, text, texts, type JsonMap } from '../../api/read';
import { AddNotification, NotSent, Trial } from '../../parts/notification-add';
import { eventsOf, eventWord, knownOf, linesOf, messageOf, newNotification, withMessage, withWhen } from '../../parts/notifications';
import { wordOf } from '../../parts/word';
import { useTexts } from '../../texts';
import type { Texts } from '../../texts/en';
import { findingsAt, useEditing } from './editing';
import { Wrongs } from './field';
import { FieldsForm, RestField } from './form';
import { moveEntry } from './model';
import { CardButtons } from './parameters';
import { pathText, valueAt, withValue, type Path } from './paths';
import type { Schema } from './schema';
import { TickSet } from './tick-set';

/** What the parts around the form show. */
const AROUND = new Set(['type', 'level', 'when', 'message']);

/** Of the pipeline, or of the stage at `of` with its type. */
export function Notifications({ of = [], stageType }: { of?: Path; stageType?: string }) {
  const t = useTexts();
  const { doc, edit, change, findings } = useEditing();
  const path = [...of, 'notifications'];
  const raw = list(valueAt(doc, path));
  const add = (kind: string) => {
    const grown = withValue(doc, path, [...raw, newNotification(kind, stageType === undefined ? 'pipeline' : 'stage', stageType)]);
    // A stage tells nobody unless this is set as well.
    change(stageType !== undefined && raw.length === 0 ? withValue(grown, [...of, 'sendNotifications'], true) : grown);
  };
  // A judgment asks whoever is named, as long as nobody switched it off.
  const asks = stageType === 'manualJudgment' && raw.length > 0 && map(valueAt(doc, of)).sendNotifications === undefined;
  const [open] = useState(raw.length > 0);
  const body = (
    <>
      {stageType !== undefined && (
        <label className="tick" data-path={pathText([...of, 'sendNotifications'])}>
          <input type="checkbox" checked={map(valueAt(doc, of)).sendNotifications === true} onChange={(event) => edit([...of, 'sendNotifications'], event.target.checked)} />
          {t.notify.send}
        </label>
      )}
      {asks && <p className="faint small">{t.notify.judgmentAsks}</p>}
      <Wrongs findings={findingsAt(findings, path, false)} />
      {raw.length === 0 && <p className="faint small">{stageType === undefined ? t.notify.none : t.notify.noneOfStage}</p>}
      {raw.map((one, at) => (
        <Notification key={`${at} ${text(map(one).type)} ${raw.length}`} notification={map(one)} list={path} at={at} of={raw.length} stageType={stageType} />
      ))}
      <AddNotification onAdd={add} />
    </>
  );
  if (stageType === undefined) {
    return (
      <section className="part" data-path={pathText(path)} tabIndex={-1}>
        <h3>{t.notify.title}</h3>
        {body}
      </section>
    );
  }
  // Few stages tell anybody: it stands open where one does.
  return (
    <details className="more" data-notifications open={open}>
      <summary>{t.notify.title}</summary>
      <section className="part" data-path={pathText(path)} tabIndex={-1}>
        {body}
      </section>
    </details>
  );
}

function schemaOf(type: string, t: Texts): Schema {
  const lines = linesOf(type, t).map(({ key, title, help }): [string, Schema] => [key, { type: 'string', title, description: help }]);
  return { type: 'object', required: ['address'], properties: Object.fromEntries(lines) };
}

interface Props {
  notification: JsonMap;
  list: Path;
  at: number;
  of: number;
  stageType: string | undefined;
}

function Notification({ notification, list: whole, at, of, stageType }: Props) {
  const t = useTexts();
  const { doc, edit, findings } = useEditing();
  const path = [...whole, at];
  const type = text(notification.type);
  const known = knownOf(type, t);
  const events = eventsOf(stageType);
  const when = texts(notification.when);
  const name = t.notify.notification(type, at + 1);
  const move = (by: number) => edit(whole, moveEntry({ all: valueAt(doc, whole) }, 'all', at, by).all);
  return (
    <div className="card" role="group" aria-label={name} data-path={pathText(path)} data-notification={type}>
      <div className="row">
        <span className="strong">{type}</span>
        <span className="soft small grow">{wordOf(t.notify.kinds, type)}</span>
      </div>
      <Wrongs findings={[...findingsAt(findings, path, false), ...findingsAt(findings, [...path, 'type'], true)]} />
      <NotSent kind={type} />
      <div className="form">
        <FieldsForm schema={schemaOf(type, t)} path={path} value={notification} skip={AROUND} />
        <TickSet legend={t.notify.when} path={[...path, 'when']} options={events.map((event) => ({ value: event, word: eventWord(event, t) }))} chosen={when} onToggle={(event, on) => edit([...path, 'when'], withWhen(notification, event, on, events))} />
        {when.map((event) => (
          <Message key={event} notification={notification} path={path} event={event} word={eventWord(event, t)} />
        ))}
        {Object.keys(notification).some((key) => !known.has(key)) && <RestField path={path} value={notification} known={known} title={t.editor.rest} help={t.editor.restHelp} />}
        <Trial notification={notification} />
      </div>
      <CardButtons name={name} first={at === 0} last={at === of - 1} onMove={move} onRemove={() => edit(path, undefined)} />
    </div>
  );
}

function Message({ notification, path, event, word }: { notification: JsonMap; path: Path; event: string; word: string }) {
  const t = useTexts();
  const { edit } = useEditing();
  const typed = messageOf(notification, event);
  return (
    <label className="form-row" data-path={pathText([...path, 'message', event])}>
      <span className="form-label">{t.notify.message(word)}</span>
      <textarea className="field area" rows={Math.min(8, Math.max(2, typed.split('\n').length))} value={typed} placeholder={t.notify.usual} onChange={(change) => edit(path, withMessage(notification, event, change.target.value))} />
    </label>
  );
}
