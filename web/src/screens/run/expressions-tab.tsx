// The expressions of a stage: where each stands, its text, and what it gave or why it failed.

import { useQuery } from '@tanstack/react-query';
import type { Execution, Stage } from '../../api/execution';
import { pipelinesQuery } from '../../api/queries';
import { TableBox } from '../../parts/table-box';
import { useTexts } from '../../texts';
import { expressionsOf } from './expressions';

export function ExpressionsTab({ run, stage }: { run: Execution; stage: Stage }) {
  const t = useTexts();
  const pipelines = useQuery(pipelinesQuery(run.application));
  const pipeline = pipelines.data?.find((one) => one.id === run.pipelineConfigId);
  const config = stage.parentStageId === undefined ? pipeline?.stages.find((one) => one.refId === stage.refId && one.type === stage.type)?.config : undefined;
  const begun = stage.startTime !== undefined;
  const all = expressionsOf(config, stage.context, begun);
  if (all.length === 0) return <p className="faint small">{t.runMore.noExpressions}</p>;
  return (
    <>
      <TableBox label={t.runMore.expression}>
        <table className="rows expressions">
          <thead>
            <tr>
              <th className="wide-only">{t.runMore.where}</th>
              <th>{t.runMore.expression}</th>
              <th>{t.runMore.gave}</th>
            </tr>
          </thead>
          <tbody>
            {all.map((one, at) => (
              <tr key={at} data-expression={one.written}>
                <td className="soft small mono wide-only">
                  <bdi>{one.path}</bdi>
                </td>
                <td>
                  <code>
                    <bdi>{one.written}</bdi>
                  </code>
                </td>
                <td>
                  {one.errors.map((error) => (
                    <p key={error} className="why tone-edge-bad">
                      <bdi>{error}</bdi>
                    </p>
                  ))}
                  {one.value !== undefined && (
                    <code>
                      <bdi>{one.value === '' ? '""' : one.value}</bdi>
                    </code>
                  )}
                  {one.value === undefined && one.errors.length === 0 && <span className="faint small">{begun ? t.runMore.unknown : t.runMore.notBegun}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      <p className="faint small">
        {!begun && `${t.runMore.notYet} `}
        {config !== undefined && t.runMore.textNote}
      </p>
    </>
  );
}
