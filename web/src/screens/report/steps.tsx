// The steps of a deployment with the numbers that the picture marks them with.

import type { Step } from '../../api/report';
import { offset } from '../../parts/axis';
import { Mark } from '../../parts/mark';
import { plain } from '../../parts/status';
import { TableBox } from '../../parts/table-box';
import { Took } from '../../parts/when';
import { useTexts } from '../../texts';

export function Steps({ steps, zero }: { steps: Step[]; zero: number }) {
  const t = useTexts();
  if (steps.length === 0) return null;
  return (
    <section className="section">
      <h2>{t.report.steps}</h2>
      <TableBox label={t.report.steps}>
        <table className="rows">
          <thead>
            <tr>
              <th>{t.report.step}</th>
              <th>{t.common.status}</th>
              <th className="number">{t.report.begins}</th>
              <th className="number">{t.time.duration}</th>
            </tr>
          </thead>
          <tbody>
            {steps.map((step, at) => (
              <tr key={at}>
                <td>
                  <span className={step.inside ? 'row report-step inside' : 'row report-step'}>
                    <span className="report-number">{at + 1}</span>
                    <bdi>{step.name}</bdi>
                    {step.type !== step.name && <span className="faint small wide-only">{step.type}</span>}
                  </span>
                </td>
                <td>
                  <Mark said={plain(step.status, t)} />
                </td>
                <td className="number soft small">{offset(step.startTime - zero, t)}</td>
                <td className="number soft small">
                  <Took from={step.startTime} to={step.endTime} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </section>
  );
}
