// Differences of attributes as a table: what it is, what it was, what it becomes.

import { readGuards } from '../../api/application';
import { useTexts } from '../../texts';
import { shown, type Difference } from './attributes';
import { keyOf } from '../../parts/guards';
import { wordOf } from '../../parts/word';

export function Changes({ says, none, changes }: { says: string; none: string; changes: Difference[] }) {
  const t = useTexts();
  if (changes.length === 0) return <p className="soft small">{none}</p>;
  return (
    <div className="changes">
      <p className="small soft">{says}</p>
      <table className="rows changes-table">
        <thead>
          <tr>
            <th>{t.config.history.attribute}</th>
            <th>{t.config.history.before}</th>
            <th>{t.config.history.after}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((one) => (
            <tr key={one.key} data-change={one.key}>
              <td>
                <bdi>{wordOf(t.config.names, one.key) ?? one.key}</bdi>
              </td>
              <td className="changes-before">
                <Value name={one.key} value={one.before} />
              </td>
              <td className="changes-after">
                <Value name={one.key} value={one.after} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value({ name, value }: { name: string; value: unknown }) {
  const t = useTexts();
  const guards = name === 'trafficGuards' ? readGuards({ trafficGuards: value }) : [];
  const written = shown(value);
  if (value === true) return <>{t.config.yes}</>;
  if (value === false) return <>{t.config.no}</>;
  if (written === '') return <span className="faint">{t.config.empty}</span>;
  if (guards.length > 0) {
    return guards.map((guard) => (
      <code key={keyOf(guard)} className="changes-line">
        {keyOf(guard)}
      </code>
    ));
  }
  return typeof value === 'object' ? <code>{written}</code> : <bdi>{written}</bdi>;
}
