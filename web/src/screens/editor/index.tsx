// The addresses of the editor: a saved pipeline by its name, and a new one.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router';
import { useRef } from 'react';
import { documentsQuery, savePipeline } from '../../api/editor';
import { text } from '../../api/read';
import { Answered } from '../../parts/answers';
import { useTexts } from '../../texts';
import { Editor } from './editor';
import type { Doc } from './model';
import { readEditorSearch } from './views';

const editRoute = getRouteApi('/applications/$application/pipelines/$pipeline/edit');
const newRoute = getRouteApi('/applications/$application/pipelines/new');

export function EditScreen() {
  const { application, pipeline } = editRoute.useParams();
  const search = editRoute.useSearch();
  const navigate = editRoute.useNavigate();
  const documents = useQuery(documentsQuery(application));
  const { save, find } = useSaving(application, pipeline);
  // A pipeline that is renamed keeps its editor until the address has followed.
  const known = useRef<string>(undefined);
  return (
    <Answered query={documents}>
      {(all) => {
        const served = all.find((one) => text(one.name) === pipeline) ?? all.find((one) => text(one.id) === (known.current ?? pipeline));
        if (served === undefined) return <Gone application={application} pipeline={pipeline} />;
        known.current = text(served.id);
        return (
          <Editor
            key={text(served.id)}
            application={application}
            served={served}
            search={search}
            onSearch={(next) => void navigate({ search: next, replace: true })}
            onSave={save}
            onReload={() => find((one) => text(one.id) === text(served.id))}
          />
        );
      }}
    </Answered>
  );
}

export function NewScreen() {
  const { application } = newRoute.useParams();
  const search = newRoute.useSearch();
  const navigate = newRoute.useNavigate();
  const { save } = useSaving(application, undefined);
  return (
    <Editor
      application={application}
      served={undefined}
      search={search}
      onSearch={(next) => void navigate({ search: next, replace: true })}
      onSave={save}
      onReload={() => Promise.resolve(undefined)}
    />
  );
}

function Gone({ application, pipeline }: { application: string; pipeline: string }) {
  const t = useTexts();
  return (
    <div className="screen">
      <p className="notice">
        {t.editor.gone(pipeline)}
        <Link to="/applications/$application/pipelines" params={{ application }} className="word">
          {t.editor.toPipelines}
        </Link>
      </p>
    </div>
  );
}

/** Saves, reads what the server made of it, and follows its name. */
function useSaving(application: string, name: string | undefined) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const find = async (which: (doc: Doc) => boolean) => (await queries.fetchQuery({ ...documentsQuery(application), staleTime: 0 })).find(which);
  const save = async (doc: Doc, letGo: () => void): Promise<Doc> => {
    await savePipeline(doc);
    letGo();
    const id = text(doc.id);
    const kept = (await find((one) => (id === '' ? text(one.name) === text(doc.name).trim() : text(one.id) === id))) ?? doc;
    void queries.invalidateQueries({ queryKey: ['pipelines', application] });
    if (text(kept.name) !== name) {
      await navigate({ to: '/applications/$application/pipelines/$pipeline/edit', params: { application, pipeline: text(kept.name) }, search: readEditorSearch, replace: true });
    }
    return kept;
  };
  return { save, find };
}
