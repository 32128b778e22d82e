// The run as a table: every stage, synthetic ones indented below their parent, in the order of the run.

import { innerStages, topStages, type Execution, type Stage } from '../../api/execution';
import { Mark } from '../../parts/mark';
import { whyOf } from '../../parts/reason';
import { ofStage } from '../../parts/status';
import { TableBox } from '../../parts/table-box';
import { Ago, Took } from '../../parts/when';
import { useTexts } from '../../texts';

export function StageTable({ run, selected, onSelect }: { run: Execution; selected: string | undefined; onSelect: (id: string) => void }) {
  const t = useTexts();
  const rows = topStages(run).flatMap((stage) => [stage, ...innerStages(run, stage)]);
  return (
    <TableBox label={t.run.table}>
      <table className="rows">
        <thead>
          <tr>
            <th>{t.run.stage}</th>
            <th>{t.common.status}</th>
            <th>{t.run.why}</th>
            <th className="number wide-only">{t.time.started}</th>
            <th className="number">{t.time.duration}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((stage) => (
            <StageRow key={stage.id} run={run} stage={stage} selected={stage.id === selected} onSelect={onSelect} />
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function StageRow({ run, stage, selected, onSelect }: { run: Execution; stage: Stage; selected: boolean; onSelect: (id: string) => void }) {
  const t = useTexts();
  const said = ofStage(run, stage, t);
  const worthSaying = said.tone !== 'well' && said.tone !== 'notrun';
  return (
    <tr className={selected ? 'selected' : undefined}>
      <td>
        <button type="button" className={stage.parentStageId === undefined ? 'stage-open' : 'stage-open inner'} aria-pressed={selected} onClick={() => onSelect(stage.id)}>
          <bdi>{stage.name}</bdi> <span className="faint small">{stage.type}</span>
        </button>
      </td>
      <td>
        <Mark said={said} />
      </td>
      <td className="soft small">
        <bdi>{worthSaying ? whyOf(run, stage, t) : ''}</bdi>
      </td>
      <td className="number soft small wide-only">
        <Ago at={stage.startTime} />
      </td>
      <td className="number soft small">
        <Took from={stage.startTime} to={stage.endTime} />
      </td>
    </tr>
  );
}
