// A JSON value as a table of keys: short values in the row, objects and lists folded until opened. All text is inert.

import { useTexts } from '../texts';
import './data.css';

const LONG = 240;

export function DataTable({ data }: { data: Record<string, unknown> }) {
  const t = useTexts();
  const keys = Object.keys(data);
  if (keys.length === 0) return <p className="faint small">{t.run.noData}</p>;
  return (
    <dl className="data">
      {keys.map((key) => (
        <div key={key} className="data-row">
          <dt>
            <bdi>{key}</bdi>
          </dt>
          <dd>
            <Value value={data[key]} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value }: { value: unknown }) {
  if (typeof value === 'object' && value !== null) {
    const whole = JSON.stringify(value);
    if (whole.length <= 72) return <code>{whole}</code>;
    return (
      <details>
        <summary>
          <code className="cut">{whole.slice(0, 100)}</code>
        </summary>
        <pre tabIndex={0}>{JSON.stringify(value, null, 2)}</pre>
      </details>
    );
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value) ?? '';
  if (text.length > LONG || text.includes('\n')) return <pre tabIndex={0}>{text}</pre>;
  return (
    <code>
      <bdi>{text === '' ? '""' : text}</bdi>
    </code>
  );
}
