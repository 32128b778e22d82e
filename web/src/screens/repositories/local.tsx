// Local repositories: a word filters their packages, a query of aptly's language asks the server; package files are dropped on a repository.

import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { createRepository, createSnapshot } from '../../api/aptly';
import type { Publication, Repositories, Repository } from '../../api/repositories';
import { Empty } from '../../parts/answers';
import { Copyable } from '../../parts/dialog';
import { useFilter } from '../../parts/filter';
import { TextField } from '../../parts/form';
import { useTexts } from '../../texts';
import { DoingDialog } from './doing';
import { PackageTable } from './packages';
import { changed } from './parts';
import { PublicationPart } from './publication';
import { PublishDialog } from './publish';
import { isQuery, WORDS } from './query';
import { RepositoryDrop } from './upload';

const route = getRouteApi('/repositories');

export function LocalPart({ all }: { all: Repositories }) {
  const t = useTexts();
  const { q } = route.useSearch();
  const navigate = route.useNavigate();
  const [making, setMaking] = useState(false);
  const [typed, field] = useFilter({
    kept: q,
    label: t.repositories.filter,
    keep: (next) => void navigate({ search: (before) => changed(before, 'q', next ?? ''), replace: true }),
    more: { className: 'field grow', list: 'query-words', placeholder: t.packages.filter, 'aria-describedby': 'query-hint', spellCheck: false },
  });
  return (
    <>
      <div className="row local-head">
        {field}
        <datalist id="query-words">{isQuery(typed) && WORDS.map((word) => <option key={word} value={completed(typed, word)} />)}</datalist>
        <button type="button" className="button" onClick={() => setMaking(true)}>
          {t.packages.newRepository}
        </button>
      </div>
      <p id="query-hint" className="faint small">
        {isQuery(typed) ? t.packages.isQuery : t.packages.hint}
      </p>
      {all.repositories.length === 0 ? (
        <Empty>
          <p>{t.repositories.empty}</p>
          <Copyable label={t.repositories.emptyCommand} text="aptly repo create my-repo" />
        </Empty>
      ) : (
        all.repositories.map((one) => (
          <RepositoryPart key={one.name} repository={one} publications={all.publications.filter((publication) => !publication.ofSnapshots && publication.sources.includes(one.name))} typed={typed} />
        ))
      )}
      {making && <CreateDialog onClose={() => setMaking(false)} />}
    </>
  );
}

/** What is typed with its last word completed. */
function completed(typed: string, word: string): string {
  const at = typed.search(/[^\s(|,&!]*$/);
  return typed.slice(0, at) + word;
}

function RepositoryPart({ repository, publications, typed }: { repository: Repository; publications: Publication[]; typed: string }) {
  const t = useTexts();
  const [asked, setAsked] = useState<'snapshot' | 'publish'>();
  return (
    <section className="repository" data-repository={repository.name}>
      <RepositoryDrop repository={repository.name}>
        {(button) => (
          <>
            <h2>
              <bdi>{repository.name}</bdi>
              <span className="faint small">
                {t.repositories.packageCount(repository.count)}
                {repository.comment !== undefined && ` · ${repository.comment}`}
              </span>
              <span className="grow" />
              <button type="button" className="button" onClick={() => setAsked('snapshot')}>
                {t.snapshots.take}
              </button>
              {publications.length === 0 && (
                <button type="button" className="button" onClick={() => setAsked('publish')}>
                  {t.publications.publish}
                </button>
              )}
              {button}
            </h2>
            {publications.length === 0 ? <p className="faint small">{t.repositories.noPublications}</p> : publications.map((one) => <PublicationPart key={`${one.prefix} ${one.distribution}`} publication={one} />)}
            <PackageTable repository={repository} typed={typed} />
          </>
        )}
      </RepositoryDrop>
      {asked === 'snapshot' && <SnapshotDialog of="repo" source={repository.name} onClose={() => setAsked(undefined)} />}
      {asked === 'publish' && <PublishDialog kind="repo" source={repository.name} distribution={repository.distribution} component={repository.component} onClose={() => setAsked(undefined)} />}
    </section>
  );
}

export function SnapshotDialog({ of, source, onClose }: { of: 'repo' | 'mirror'; source: string; onClose: () => void }) {
  const t = useTexts();
  const [name, setName] = useState(`${source}-${new Date().toISOString().slice(0, 10)}`);
  return (
    <DoingDialog title={t.snapshots.takeOf(source)} word={t.snapshots.take} doing={createSnapshot(of, source, name)} ready={name !== ''} onClose={onClose}>
      <TextField label={t.common.name} value={name} onChange={setName} />
      <p className="soft">{t.snapshots.says}</p>
    </DoingDialog>
  );
}

function CreateDialog({ onClose }: { onClose: () => void }) {
  const t = useTexts();
  const [name, setName] = useState('');
  const [distribution, setDistribution] = useState('stable');
  const [component, setComponent] = useState('main');
  const [comment, setComment] = useState('');
  return (
    <DoingDialog title={t.packages.newRepository} word={t.packages.create} doing={createRepository(name, distribution, component, comment)} ready={name !== ''} onClose={onClose}>
      <TextField label={t.common.name} value={name} onChange={setName} />
      <TextField label={t.repositories.distribution} value={distribution} onChange={setDistribution} help={t.packages.distributionHint} />
      <TextField label={t.repositories.component} value={component} onChange={setComponent} />
      <TextField label={t.repositories.comment} value={comment} onChange={setComment} />
    </DoingDialog>
  );
}
