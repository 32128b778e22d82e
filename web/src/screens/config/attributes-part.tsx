// The attributes as they are, with the button that edits them.

import { optNumber, text, type JsonMap } from '../../api/read';
import { DataTable } from '../../parts/data';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { FLAG_FIELDS, TEXT_FIELDS, others, shown } from './attributes';

export function AttributesPart({ attributes, onEdit }: { attributes: JsonMap; onEdit: () => void }) {
  const t = useTexts();
  const rest = others(attributes);
  const by = text(attributes.lastModifiedBy);
  return (
    <section className="section config-first" aria-labelledby="config-attributes">
      <div className="config-head">
        <h2 id="config-attributes">{t.config.attributes}</h2>
        <button type="button" className="button" onClick={onEdit} data-edit>
          {t.config.edit}
        </button>
      </div>
      <dl className="facts config-facts">
        <dt>{t.config.names.name}</dt>
        <dd className="strong">
          <bdi>{text(attributes.name)}</bdi>
        </dd>
        {TEXT_FIELDS.filter((key) => key === 'email' || key === 'description' || shown(attributes[key]) !== '').map((key) => (
          <Fact key={key} name={t.config.names[key]} value={shown(attributes[key])} field={key} />
        ))}
        <dt>{t.config.names.permissions}</dt>
        <dd>{shown(attributes.permissions) === '' ? <span className="faint">{t.config.everybody}</span> : <code>{shown(attributes.permissions)}</code>}</dd>
        {FLAG_FIELDS.map((key) => (
          <Fact key={key} name={t.config.names[key]} value={attributes[key] === true || attributes[key] === 'true' ? t.config.yes : t.config.no} field={key} />
        ))}
        <dt>{t.config.names.created}</dt>
        <dd>
          <Ago at={optNumber(attributes.createTs)} />
        </dd>
        <dt>{t.config.names.changed}</dt>
        <dd>
          <Ago at={optNumber(attributes.updateTs)} /> {by !== '' && <span className="soft"><bdi>{t.pipelines.by(by)}</bdi></span>}
        </dd>
      </dl>
      {Object.keys(rest).length > 0 && (
        <details className="config-rest">
          <summary className="soft small">{t.config.others}</summary>
          <DataTable data={rest} />
        </details>
      )}
    </section>
  );
}

function Fact({ name, value, field }: { name: string; value: string; field: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd data-attribute={field}>{value === '' ? <span className="faint">–</span> : <bdi>{value}</bdi>}</dd>
    </>
  );
}
