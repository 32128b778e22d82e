// What was done in the repositories, the newest first, each with its undoing, which shows beforehand what it brings back and takes away.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { showsAgain, undo, undoSaid, type Change, type Operation } from '../../api/operations';
import { operationsQuery } from '../../api/queries';
import { Answered } from '../../parts/answers';
import { Confirm } from '../../parts/confirm';
import { Tick } from '../../parts/form';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { useRenewal } from './renew';

/** So many are shown at first. */
const FIRST = 8;
/** So many packages of a change are named. */
const NAMED = 12;

export function OperationsPart() {
  const t = useTexts();
  const operations = useQuery(operationsQuery());
  const [all, setAll] = useState(false);
  const [chosen, setChosen] = useState<Operation>();
  return (
    <section className="operations">
      <h2>{t.operations.title}</h2>
      <Answered query={operations}>
        {(found) =>
          found.length === 0 ? (
            <p className="faint small">{t.operations.none}</p>
          ) : (
            <>
              <table className="rows">
                <thead>
                  <tr>
                    <th>{t.operations.when}</th>
                    <th>{t.operations.who}</th>
                    <th>{t.operations.what}</th>
                    <th aria-label={t.operations.undo} />
                  </tr>
                </thead>
                <tbody>
                  {(all ? found : found.slice(0, FIRST)).map((one) => (
                    <Row key={`${one.root} ${one.id}`} operation={one} onUndo={() => setChosen(one)} />
                  ))}
                </tbody>
              </table>
              {!all && found.length > FIRST && (
                <button type="button" className="button quiet" onClick={() => setAll(true)}>
                  {t.operations.older(found.length - FIRST)}
                </button>
              )}
            </>
          )
        }
      </Answered>
      {chosen !== undefined && <UndoDialog operation={chosen} onClose={() => setChosen(undefined)} />}
    </section>
  );
}

function Row({ operation, onUndo }: { operation: Operation; onUndo: () => void }) {
  const t = useTexts();
  const undone = operation.undoneBy !== undefined;
  return (
    <tr data-row data-operation={operation.id}>
      <td className="soft">
        <Ago at={operation.at} />
      </td>
      <td>
        <bdi>{operation.who === '' ? '–' : operation.who}</bdi>
      </td>
      <td>
        {operation.changes.map((change) => (
          <div key={`${change.kind} ${change.name}`}>
            {t.operations.change(change.what, t.operations.kinds[change.kind])} <bdi className="strong">{change.name}</bdi>
            <span className="soft"> {counts(change)}</span>
          </div>
        ))}
        <code className="faint small">
          <bdi>{operation.command}</bdi>
        </code>
      </td>
      <td>
        {undone ? (
          <span className="faint small">{t.operations.undone}</span>
        ) : (
          <button type="button" className="button" onClick={onUndo} aria-label={t.operations.undoNumber(operation.id)}>
            {t.operations.undo}
          </button>
        )}
      </td>
    </tr>
  );
}

/** `+2 −1`, and nothing for nothing. */
function counts(change: Change): string {
  const parts = [change.addedCount > 0 ? `+${change.addedCount}` : '', change.removedCount > 0 ? `−${change.removedCount}` : ''];
  return parts.filter((part) => part !== '').join(' ');
}

function UndoDialog({ operation, onClose }: { operation: Operation; onClose: () => void }) {
  const t = useTexts();
  const renew = useRenewal();
  const [unsigned, setUnsigned] = useState(false);
  return (
    <Confirm
      title={t.operations.undoNumber(operation.id)}
      word={t.operations.undo}
      danger
      close={t.common.close}
      act={() => undo(operation, unsigned)}
      onDone={() => renew().then(onClose)}
      onClose={onClose}
      said={undoSaid(location.origin, operation, unsigned)}
    >
      <p>{t.operations.says}</p>
      <ul className="inner-list">
        {operation.changes.map((change) => (
          <li key={`${change.kind} ${change.name}`}>
            {t.operations.back(change.what, t.operations.kinds[change.kind])} <bdi className="strong">{change.name}</bdi>
            <Changes sign="+" names={change.removed} count={change.removedCount} />
            <Changes sign="−" names={change.added} count={change.addedCount} />
          </li>
        ))}
      </ul>
      {showsAgain(operation) && (
        <Tick label={t.operations.unsigned} checked={unsigned} onChange={setUnsigned} />
      )}
    </Confirm>
  );
}

/** The packages that came or went, the first of them by name. */
export function Changes({ sign, names, count, most = NAMED }: { sign: string; names: string[]; count: number; most?: number }) {
  const t = useTexts();
  const shown = names.slice(0, most);
  return (
    <>
      {shown.map((name) => (
        <div key={name} className="small soft">
          {sign} <bdi>{name}</bdi>
        </div>
      ))}
      {count > shown.length && <div className="small faint">{`${sign} ${t.repositories.packageCount(count - shown.length)}`}</div>}
    </>
  );
}
