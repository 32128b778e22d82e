// What a run would do, with the values as far as they are known. Nothing is started.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { forecastQuery, type Foreseen } from '../../api/editor';
import { list, map, text } from '../../api/read';
import { DataTable } from '../../parts/data';
import { useTexts } from '../../texts';
import { useLater } from '../../parts/later';
import { wordOf } from '../../parts/word';
import type { Doc } from './model';

const FATES = { runs: 'well', skipped: 'notrun', undecided: 'waiting', fails: 'bad' } as const;

export function Plan({ doc, document, onStage }: { doc: Doc; document: string; onStage: (refId: string) => void }) {
  const t = useTexts();
  const [values, setValues] = useState<Record<string, string>>({});
  const parameters = list(doc.parameterConfig).map(map).filter((one) => text(one.name) !== '');
  const given = Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== '' && parameters.some((one) => text(one.name) === name)));
  const asked = useLater(JSON.stringify(given), 400);
  const plan = useQuery({ ...forecastQuery(document, JSON.parse(asked) as Record<string, string>), placeholderData: keepPreviousData });
  return (
    <div className="plan">
      <p className="small soft">{t.editor.planSays}</p>
      {parameters.map((one) => {
        const name = text(one.name);
        return (
          <label key={name} className="form-row">
            <span className="form-label">{text(one.label) || name}</span>
            <input className="field" value={values[name] ?? ''} placeholder={text(one.default)} autoComplete="off" onChange={(event) => setValues({ ...values, [name]: event.target.value })} />
          </label>
        );
      })}
      {plan.error !== null && (
        <p className="small tone-bad" role="alert">
          {plan.error.message}
        </p>
      )}
      {plan.error === null && plan.data !== undefined && (
        <>
          {plan.data.notes.map((note) => (
            <p key={note} className="small tone-despite">
              {note}
            </p>
          ))}
          <ol className="foreseen">
            {plan.data.stages.map((stage) => (
              <Stage key={stage.refId} stage={stage} onStage={onStage} />
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

function Stage({ stage, onStage }: { stage: Foreseen; onStage?: (refId: string) => void }) {
  const t = useTexts();
  const fate = FATES[stage.fate as keyof typeof FATES] ?? 'notrun';
  return (
    <li data-foreseen={stage.refId}>
      <div className="row wrap">
        {onStage === undefined ? (
          <bdi className="strong">{stage.name}</bdi>
        ) : (
          <button type="button" className="link strong" onClick={() => onStage(stage.refId)}>
            <bdi>{stage.name}</bdi>
          </button>
        )}
        <code className="faint">{stage.type}</code>
        <span className={`small tone-${fate}`}>{wordOf(t.editor.fates, stage.fate) ?? stage.fate}</span>
      </div>
      {stage.why !== undefined && <p className="small soft">{stage.why}</p>}
      {stage.notes.map((note) => (
        <p key={note} className="small soft">
          {note}
        </p>
      ))}
      {Object.keys(stage.context).length > 0 && <DataTable data={stage.context} />}
      {stage.unknown.map((one) => (
        <p key={one.path} className="small tone-waiting">
          {t.editor.notKnown(one.path.replace(/^\$\./, ''), one.reason)}
        </p>
      ))}
      {stage.inner.length > 0 && (
        <ol className="foreseen">
          {stage.inner.map((one) => (
            <Stage key={one.refId} stage={one} />
          ))}
        </ol>
      )}
      {stage.tasks.length > 0 && (
        <p className="small faint">
          {t.editor.tasks}: {stage.tasks.join(' → ')}
        </p>
      )}
    </li>
  );
}
