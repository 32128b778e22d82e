// Starting a pipeline: what will happen, the parameters, the same as a command and as a request; then one button.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { startPipeline, startSaid } from '../../api/actions';
import { inOrder, intent, type Parameter, type Pipeline } from '../../api/config';
import { firstChoice, takesVersions, versionsQuery } from '../../api/versions';
import { Answered } from '../../parts/answers';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { entered } from '../../parts/enter';
import { useTexts } from '../../texts';
import { VersionChoice } from './version-choice';

export function StartDialog({ application, pipeline, onClose }: { application: string; pipeline: Pipeline; onClose: () => void }) {
  const t = useTexts();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [values, setValues] = useState<Record<string, string>>({});
  const takes = takesVersions(pipeline.triggers);
  const versions = useQuery({ ...versionsQuery(pipeline.id), enabled: takes });
  // What was the newest when the dialog was opened stays chosen: nothing that is published meanwhile changes what the button starts.
  const [version, setVersion] = useState<{ key: string | undefined }>();
  if (version === undefined && versions.data !== undefined) setVersion({ key: firstChoice(versions.data)?.key });
  const event = version?.key === undefined ? undefined : versions.data?.versions.find((one) => one.key === version.key)?.trigger;
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
  const missing = (takes && versions.isLoading) || (version?.key !== undefined && event === undefined) || pipeline.parameters.some((one) => one.required && one.preset === '' && given[one.name] === undefined);
  const start = useMutation({
    mutationFn: () => startPipeline(application, pipeline.name, given, event),
    onSuccess: async (run) => {
      await queries.invalidateQueries({ queryKey: ['runs', application] });
      await navigate({ to: '/applications/$application/runs/$run', params: { application, run } });
    },
  });
  const go = () => {
    if (!missing && !start.isPending) start.mutate();
  };
  return (
    <Dialog
      title={t.pipelines.startNamed(pipeline.name)}
      onClose={onClose}
      foot={
        <DialogFoot error={start.error} close={t.common.cancel} onClose={onClose}>
          <button type="button" className="button primary" disabled={missing || start.isPending} onClick={go} data-confirm="start">
            {t.pipelines.start}
          </button>
        </DialogFoot>
      }
    >
      {takes && <Answered query={versions}>{(told) => <VersionChoice told={told} chosen={version?.key} onChoose={(key) => setVersion({ key })} />}</Answered>}
      {pipeline.parameters.length > 0 && (
        <div className="parameters" onKeyDown={(event) => entered(event) && go()}>
          {pipeline.parameters.map((one) => (
            <ParameterField key={one.name} parameter={one} value={values[one.name] ?? ''} onChange={(value) => setValues({ ...values, [one.name]: value })} />
          ))}
        </div>
      )}
      <p>{t.pipelines.startsNow}</p>
      <ol className="will">
        {inOrder(pipeline.stages).map((stage) => (
          <li key={stage.refId}>
            <span className="strong">
              <bdi>{stage.name}</bdi>
            </span>
            <span className="soft small">
              <bdi>{intent(stage, t)}</bdi>
              {stage.condition !== undefined && (
                <span className="faint">
                  {' '}
                  · {t.pipelines.guarded} <code>{stage.condition}</code>
                </span>
              )}
            </span>
          </li>
        ))}
      </ol>
      {pipeline.limitConcurrent && <p className="soft small">{t.pipelines.limit}</p>}
      <SameAs said={startSaid(location.origin, application, pipeline.name, given, event)} />
    </Dialog>
  );
}

function ParameterField({ parameter, value, onChange }: { parameter: Parameter; value: string; onChange: (value: string) => void }) {
  const t = useTexts();
  return (
    <label className="parameter">
      <span className="small soft">
        {parameter.label}
        {parameter.required && <span className="faint"> · {t.pipelines.required}</span>}
      </span>
      {parameter.options.length > 0 ? (
        <select className="field" value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{parameter.preset}</option>
          {parameter.options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      ) : (
        <input className="field" value={value} placeholder={parameter.preset} onChange={(event) => onChange(event.target.value)} />
      )}
      {parameter.description !== undefined && <span className="small faint">{parameter.description}</span>}
    </label>
  );
}
