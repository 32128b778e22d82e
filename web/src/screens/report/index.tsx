// The report of a deployment: what its users had of it, in one sentence, one picture and one table. Its address is the run's with `/report`.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Refused } from '../../api/client';
import { quoted } from '../../api/actions';
import { reportQuery, type Report } from '../../api/report';
import { Answered, Empty } from '../../parts/answers';
import { SameAs } from '../../parts/dialog';
import { Mark } from '../../parts/mark';
import { plain } from '../../parts/status';
import { Ago, Took } from '../../parts/when';
import { useTexts } from '../../texts';
import { BalancerSection } from './balancer';
import { Steps } from './steps';
import './report.css';

const route = getRouteApi('/applications/$application/runs/$run/report');

export function ReportScreen() {
  const t = useTexts();
  const { application, run } = route.useParams();
  const report = useQuery(reportQuery(run));
  if (report.data === undefined && report.error instanceof Refused && report.error.status === 404) {
    return (
      <div className="screen">
        <h1>{t.report.title}</h1>
        <Empty>
          <p>{report.error.message}</p>
          <Link className="word" to="/applications/$application/runs/$run" params={{ application, run }}>
            {t.report.openRun}
          </Link>
        </Empty>
      </div>
    );
  }
  return (
    <div className="screen">
      <Answered query={report}>{(found) => <Shown report={found} busy={report.isFetching} onAgain={() => void report.refetch()} />}</Answered>
    </div>
  );
}

function Shown({ report, busy, onAgain }: { report: Report; busy: boolean; onAgain: () => void }) {
  const t = useTexts();
  const { application, run } = route.useParams();
  const { requests, failures, retries, unserved } = report.total;
  const more = [retries > 0 ? t.report.retried(retries) : '', unserved > 0 ? t.report.unserved(unserved) : ''].filter((part) => part !== '');
  const origin = location.origin;
  return (
    <>
      <header className="screen-head">
        <h1>{t.report.of(report.name)}</h1>
        <Mark said={plain(report.status, t)} />
        <span className="soft small">
          <Ago at={report.startTime} /> · <Took from={report.startTime} to={report.endTime} />
        </span>
        <span className="grow" />
        <Link className="word small" to="/applications/$application/runs/$run" params={{ application, run }}>
          {t.report.openRun}
        </Link>
      </header>
      <p className={failures > 0 ? 'verdict tone-bad' : 'verdict'} data-verdict={failures} data-final={report.final}>
        {requests === 0 ? t.report.nobodyCame : t.report.failed(failures, requests)}
      </p>
      {more.length > 0 && <p className="soft">{more.join(' ')}</p>}
      {!report.final && (
        <p className="row soft small">
          {t.report.untilNow}
          <button type="button" className="button" disabled={busy} onClick={onAgain}>
            {t.report.again}
          </button>
        </p>
      )}
      {report.balancers.length === 0 && <Empty>{t.report.missing}</Empty>}
      {report.balancers.map((balancer) => (
        <BalancerSection key={`${balancer.place} ${balancer.name}`} report={report} balancer={balancer} />
      ))}
      <Steps steps={report.steps} zero={report.startTime ?? 0} />
      {report.notes.length > 0 && (
        <section className="section">
          <h2>{t.report.notes}</h2>
          {report.notes.map((note) => (
            <p key={note} className="soft small">
              <bdi>{note}</bdi>
            </p>
          ))}
        </section>
      )}
      <section className="section report-same">
        <SameAs
          said={{
            command: `gennaker deployment report ${quoted(report.execution)} --html report.html --server ${origin}`,
            request: `curl -fsS ${quoted(`${origin}/executions/${report.execution}/deploymentReport`)}`,
          }}
        />
      </section>
    </>
  );
}
