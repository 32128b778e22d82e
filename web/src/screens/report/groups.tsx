// The server groups of a report with their numbers: of the chosen second, or of the whole time. It is the picture's legend as well.

import type { BalancerPart } from '../../api/report';
import { TableBox } from '../../parts/table-box';
import { wordOf } from '../../parts/word';
import { useTexts } from '../../texts';
import { stacked } from './picture';
import { Swatch } from './roles';
import { latency } from './words';

export function Groups({ balancer, at }: { balancer: BalancerPart; at: number | undefined }) {
  const t = useTexts();
  return (
    <TableBox label={t.report.group}>
      <table className="rows report-groups">
        <thead>
          <tr>
            <th>{t.report.group}</th>
            <th className="number">{t.report.requests}</th>
            <th className="number">{t.report.failures}</th>
            <th className="number">{t.report.retries}</th>
            <th className="number">{t.report.p50}</th>
            <th className="number">{t.report.p99}</th>
          </tr>
        </thead>
        <tbody>
          {stacked(balancer.groups)
            .reverse()
            .map((group) => {
              const shown = at === undefined ? group : (group.seconds.find((second) => second.at === at) ?? { requests: 0, failures: 0, retries: 0, p50: 0, p99: 0 });
              return (
                <tr key={group.name} data-group={group.name}>
                  <td>
                    <span className="row">
                      <Swatch role={group.role} />
                      <bdi className="strong">{group.name}</bdi>
                      <span className="faint small">{wordOf(t.report.role, group.role) ?? t.report.role.other}</span>
                    </span>
                  </td>
                  <td className="number">{shown.requests.toLocaleString()}</td>
                  <td className={shown.failures > 0 ? 'number tone-bad strong' : 'number'}>{shown.failures.toLocaleString()}</td>
                  <td className="number">{shown.retries.toLocaleString()}</td>
                  <td className="number">{latency(shown.p50)}</td>
                  <td className="number">{latency(shown.p99)}</td>
                </tr>
              );
            })}
        </tbody>
      </table>
    </TableBox>
  );
}
