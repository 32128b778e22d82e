// The versions of a pipeline: who saved when, how each differs from what is in the editor, and the two ways back.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { restoreSaid, restoreVersion, stampOf, versionsQuery } from '../../api/editor';
import type { JsonMap } from '../../api/read';
import { useState } from 'react';
import { Answered } from '../../parts/answers';
import { Confirm } from '../../parts/confirm';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { DiffView } from './diff-view';
import { withoutStamps, type Doc } from './model';

interface Props {
  application: string;
  /** The name under which it is saved; undefined of a new one. */
  name: string | undefined;
  doc: Doc;
  changed: boolean;
  version: number | undefined;
  onVersion: (version: number | undefined) => void;
  onTake: (version: Doc) => void;
  onRestored: () => Promise<void>;
}

export function History(props: Props) {
  const t = useTexts();
  const { application, name } = props;
  const versions = useQuery({ ...versionsQuery(application, name ?? ''), enabled: name !== undefined });
  if (name === undefined) return <p className="small faint">{t.editor.noHistory}</p>;
  return <Answered query={versions}>{(all) => <Versions {...props} name={name} all={all} />}</Answered>;
}

function Versions({ application, name, doc, changed, version, all, onVersion, onTake, onRestored }: Props & { name: string; all: JsonMap[] }) {
  const t = useTexts();
  const [asked, setAsked] = useState<JsonMap>();
  const newest = all[0] === undefined ? undefined : stampOf(all[0]).version;
  return (
    <>
      <ol className="versions">
        {all.map((one) => {
          const stamp = stampOf(one);
          const open = stamp.version === version;
          return (
            <li key={stamp.version} data-version={stamp.version}>
              <button type="button" className="version" aria-expanded={open} onClick={() => onVersion(open ? undefined : stamp.version)}>
                <span className="strong">{t.editor.version(stamp.version)}</span>
                {stamp.version === newest && <span className="small soft">{t.editor.present}</span>}
                <span className="grow" />
                <bdi className="small soft">{stamp.who}</bdi>
                <span className="small faint">
                  <Ago at={stamp.at} />
                </span>
              </button>
              {open && (
                <div className="version-body">
                  <p className="small soft">{t.editor.against(stamp.version)}</p>
                  <DiffView before={withoutStamps(one)} after={withoutStamps(doc)} />
                  <div className="row wrap">
                    <button type="button" className="button" onClick={() => onTake(one)}>
                      {t.editor.take}
                    </button>
                    {stamp.version !== newest && (
                      <button type="button" className="button" data-restore={stamp.version} onClick={() => setAsked(one)}>
                        {t.editor.restore}
                      </button>
                    )}
                  </div>
                </div>
              )}
            </li>
          );
        })}
      </ol>
      {asked !== undefined && all[0] !== undefined && (
        <RestoreDialog application={application} name={name} version={asked} present={all[0]} changed={changed} onRestored={onRestored} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

interface RestoreProps {
  application: string;
  name: string;
  version: JsonMap;
  present: JsonMap;
  changed: boolean;
  onRestored: () => Promise<void>;
  onClose: () => void;
}

function RestoreDialog({ application, name, version, present, changed, onRestored, onClose }: RestoreProps) {
  const t = useTexts();
  const queries = useQueryClient();
  const { version: number } = stampOf(version);
  const restored = async () => {
    await queries.invalidateQueries({ queryKey: ['pipelines', application] });
    onClose();
    await onRestored();
  };
  return (
    <Confirm
      title={t.editor.restoreTitle(number)}
      word={t.editor.restore}
      name="restore"
      act={() => restoreVersion(application, name, number)}
      onDone={restored}
      onClose={onClose}
      said={restoreSaid(location.origin, application, name, number)}
    >
      <p>{t.editor.restoreSays(number)}</p>
      {changed && <p className="tone-despite strong">{t.editor.restoreLoses}</p>}
      <DiffView before={withoutStamps(present)} after={withoutStamps(version)} />
    </Confirm>
  );
}
