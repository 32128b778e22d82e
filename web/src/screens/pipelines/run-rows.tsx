// Runs as rows: state, what started it, a strip with one cell a stage, when and how long.

import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import { topStages, type Execution } from '../../api/execution';
import { LongList } from '../../parts/long-list';
import { Mark } from '../../parts/mark';
import { whyRun } from '../../parts/reason';
import { startedBy } from '../../parts/started';
import { ofRun, ofStage } from '../../parts/status';
import { Ago, Took } from '../../parts/when';
import { useTexts } from '../../texts';

export function RunRows({ runs }: { runs: Execution[] }) {
  return (
    <LongList as="ul" className="run-rows" items={runs} keyOf={(run) => run.id} guess={41}>
      {(run) => <RunRow run={run} />}
    </LongList>
  );
}

const RunRow = memo(function RunRow({ run }: { run: Execution }) {
  const t = useTexts();
  const why = whyRun(run);
  return (
    <li>
      <Link className="run-row" to="/applications/$application/runs/$run" params={{ application: run.application, run: run.id }} data-run={run.id}>
        <span>
          <Mark said={ofRun(run, t)} />
        </span>
        <span className="run-cause">
          <span className="cut">
            <bdi>{startedBy(run.trigger, run.user, t)}</bdi>
          </span>
          {why !== undefined && (
            <span className="soft small cut" title={why}>
              <bdi>{why}</bdi>
            </span>
          )}
        </span>
        <span className="strip" aria-hidden="true">
          {topStages(run).map((stage) => {
            const said = ofStage(run, stage, t);
            return <span key={stage.id} className={`strip-cell edge-${said.tone}`} title={`${stage.name}: ${said.word}`} />;
          })}
        </span>
        <span className="soft small run-when">
          <Ago at={run.buildTime ?? run.startTime} />
        </span>
        <span className="soft small run-when">
          <Took from={run.startTime} to={run.endTime} />
        </span>
      </Link>
    </li>
  );
});
