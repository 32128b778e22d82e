// The artifacts that a run needs: a card for each with what fits, where it comes from when nothing brings it, and who asks for it.

import { list, map, text, type JsonMap } from '../../api/read';
import { triggerName } from '../../parts/started';
import { useTexts } from '../../texts';
import { expectedSchema, isSought, newExpected, usersOf } from './artifact-forms';
import { findingsAt, useEditing } from './editing';
import { Wrongs } from './field';
import { FieldsForm, RestField } from './form';
import { moveEntry } from './model';
import { CardButtons } from './parameters';
import { pathText, type Path } from './paths';

const NONE = new Set<string>();

export function Artifacts() {
  const t = useTexts();
  const { doc, edit } = useEditing();
  const all = list(doc.expectedArtifacts).map(map);
  return (
    <section className="part" data-path="$.expectedArtifacts" tabIndex={-1}>
      <h3>{t.editor.expectedArtifacts}</h3>
      {all.length === 0 && <p className="faint small">{t.artifacts.none}</p>}
      {all.map((one, at) => (
        <Artifact key={`${at} ${all.length}`} artifact={one} at={at} of={all.length} />
      ))}
      <button type="button" className="button" onClick={() => edit(['expectedArtifacts'], [...list(doc.expectedArtifacts), newExpected(doc)])}>
        + {t.artifacts.add}
      </button>
    </section>
  );
}

function Artifact({ artifact, at, of }: { artifact: JsonMap; at: number; of: number }) {
  const t = useTexts();
  const { doc, edit, change, findings } = useEditing();
  const path: Path = ['expectedArtifacts', at];
  const schema = expectedSchema(t);
  const known = new Set(Object.keys(map(schema.properties)));
  const name = t.artifacts.artifact(text(artifact.displayName) || text(artifact.id) || String(at + 1));
  return (
    <div className="card" role="group" aria-label={name} data-path={pathText(path)} data-artifact={text(artifact.id)}>
      <Wrongs findings={findingsAt(findings, path, false)} />
      <div className="form">
        <FieldsForm schema={schema} path={path} value={artifact} skip={NONE} />
        {Object.keys(artifact).some((key) => !known.has(key)) && <RestField path={path} value={artifact} known={known} title={t.editor.rest} help={t.editor.restHelp} />}
        <UsedBy artifact={artifact} />
      </div>
      <CardButtons name={name} first={at === 0} last={at === of - 1} onMove={(by) => change(moveEntry(doc, 'expectedArtifacts', at, by))} onRemove={() => edit(path, undefined)} />
    </div>
  );
}

function UsedBy({ artifact }: { artifact: JsonMap }) {
  const t = useTexts();
  const { doc } = useEditing();
  const users = usersOf(doc, text(artifact.id));
  const triggers = users.triggers.map((at) => t.editor.trigger(triggerName(text(map(list(doc.triggers)[at]).type), t), at + 1));
  return (
    <div className="small" data-used-by>
      {triggers.length > 0 && (
        <p className="soft">
          {t.artifacts.triggers}: <bdi>{triggers.join(' · ')}</bdi>
        </p>
      )}
      {users.stages.length > 0 && (
        <p className="soft">
          {t.artifacts.stages}: <bdi>{users.stages.map((one) => one.name).join(' · ')}</bdi>
        </p>
      )}
      {!isSought(artifact, users) && <p className="tone-despite">{t.artifacts.notSought}</p>}
    </div>
  );
}
