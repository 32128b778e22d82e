// The numbers of the picture as a table, second by second: for who cannot see the picture, and for who wants to copy them.

import { useState } from 'react';
import type { BalancerPart } from '../../api/report';
import { offset } from '../../parts/axis';
import { TableBox } from '../../parts/table-box';
import { clock } from '../../parts/time';
import { useTexts } from '../../texts';
import { bySecond, failuresBySecond, stacked } from './picture';
import { latency } from './words';

interface Props {
  balancer: BalancerPart;
  seconds: number[];
  zero: number;
}

export function SecondsTable({ balancer, seconds, zero }: Props) {
  const t = useTexts();
  const [open, setOpen] = useState(false);
  return (
    <details className="report-seconds" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="soft small">{t.report.table}</summary>
      {open && <Rows balancer={balancer} seconds={seconds} zero={zero} />}
    </details>
  );
}

function Rows({ balancer, seconds, zero }: Props) {
  const t = useTexts();
  const groups = stacked(balancer.groups).reverse();
  const columns = groups.map((group) => bySecond(seconds, group.seconds));
  const failures = failuresBySecond(balancer, seconds);
  return (
    <TableBox label={t.report.table} className="report-seconds-box">
      <table className="rows">
        <thead>
          <tr>
            <th rowSpan={2}>{t.report.second}</th>
            {groups.map((group) => (
              <th key={group.name} colSpan={3} scope="colgroup">
                <bdi>{group.name}</bdi>
              </th>
            ))}
            <th rowSpan={2} className="number">
              {t.report.failures}
            </th>
          </tr>
          <tr>
            {groups.flatMap((group) =>
              [t.report.requests, t.report.p50, t.report.p99].map((word) => (
                <th key={`${group.name} ${word}`} className="number">
                  {word}
                </th>
              )),
            )}
          </tr>
        </thead>
        <tbody>
          {seconds.map((at, index) => (
            <tr key={at}>
              <th scope="row">
                {offset(at - zero, t)} <span className="faint">{clock(at)}</span>
              </th>
              {columns.flatMap((column, which) => {
                const second = column[index];
                return [String(second?.requests ?? 0), latency(second?.p50 ?? 0), latency(second?.p99 ?? 0)].map((value, of) => (
                  <td key={`${which} ${of}`} className="number">
                    {value}
                  </td>
                ));
              })}
              <td className="number">{failures[index]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
