// Repositories: what is in each, and where it is published with the line that an apt client needs. The open one and the filter are in the address.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { repositoriesQuery } from '../../api/queries';
import type { Publication, Repository } from '../../api/overview';
import { Answered, Empty } from '../../parts/answers';
import { Copyable } from '../../parts/dialog';
import { matches } from '../../parts/match';
import { useTexts } from '../../texts';
import { OperationsPart } from './operations';
import { UpdateDialog } from './update';
import { DropPlace } from './upload';
import './repositories.css';

const route = getRouteApi('/repositories');

export function RepositoriesScreen() {
  const t = useTexts();
  const { q } = route.useSearch();
  const navigate = route.useNavigate();
  const repositories = useQuery(repositoriesQuery());
  return (
    <div className="screen">
      <div className="screen-head">
        <h1 className="grow">{t.repositories.title}</h1>
        <input
          className="field"
          type="search"
          value={q ?? ''}
          placeholder={t.repositories.filter}
          aria-label={t.repositories.filter}
          onChange={(event) => void navigate({ search: event.target.value === '' ? {} : { q: event.target.value }, replace: true })}
        />
      </div>
      <Answered query={repositories}>
        {(all) =>
          all.repositories.length === 0 && all.publications.length === 0 ? (
            <Empty>
              <p>{t.repositories.empty}</p>
              <Copyable label={t.repositories.emptyCommand} text="aptly repo create my-repo" />
            </Empty>
          ) : (
            <>
              {all.repositories.map((one) => (
                <RepositoryPart key={one.name} repository={one} publications={all.publications.filter((publication) => publication.sources.includes(one.name))} typed={q ?? ''} />
              ))}
              <OperationsPart />
            </>
          )
        }
      </Answered>
    </div>
  );
}

function RepositoryPart({ repository, publications, typed }: { repository: Repository; publications: Publication[]; typed: string }) {
  const t = useTexts();
  const shown = repository.packages.filter((one) => matches(`${one.name} ${one.version} ${one.architecture}`, typed));
  return (
    <section className="repository" data-repository={repository.name}>
      <DropPlace repository={repository.name}>
        {(button) => (
          <>
            <h2>
              <bdi>{repository.name}</bdi>
              <span className="faint small">
                {t.repositories.packageCount(repository.packages.length)}
                {repository.comment !== undefined && ` · ${repository.comment}`}
              </span>
              <span className="grow" />
              {button}
            </h2>
            {publications.length === 0 ? <p className="faint small">{t.repositories.noPublications}</p> : publications.map((one) => <PublicationPart key={`${one.prefix} ${one.distribution}`} publication={one} />)}
            {shown.length > 0 && (
              <table className="rows">
                <thead>
                  <tr>
                    <th>{t.repositories.packages}</th>
                    <th>{t.repositories.version}</th>
                    <th>{t.repositories.architecture}</th>
                  </tr>
                </thead>
                <tbody>
                  {shown.map((one) => (
                    <tr key={`${one.name} ${one.version} ${one.architecture}`}>
                      <td>
                        <span className="strong">
                          <bdi>{one.name}</bdi>
                        </span>
                        {one.description !== undefined && (
                          <span className="soft small wide-only">
                            {' '}
                            <bdi>{one.description}</bdi>
                          </span>
                        )}
                      </td>
                      <td>
                        <bdi>{one.version}</bdi>
                      </td>
                      <td className="soft">{one.architecture}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
            {shown.length !== repository.packages.length && <p className="faint small">{t.common.shown(shown.length, repository.packages.length)}</p>}
          </>
        )}
      </DropPlace>
    </section>
  );
}

function PublicationPart({ publication }: { publication: Publication }) {
  const t = useTexts();
  const [asked, setAsked] = useState(false);
  return (
    <div className="publication">
      <p className="small">
        {t.repositories.published}:{' '}
        <span className="strong">
          <bdi>{[publication.prefix, publication.distribution].filter((part) => part !== '' && part !== '.').join('/')}</bdi>
        </span>
        <span className="soft">
          {' '}
          · {publication.components.join(', ')} · {publication.architectures.join(', ')} · {publication.signed ? t.repositories.signed : t.repositories.unsigned}
        </span>
      </p>
      <Copyable text={publication.line} label={t.repositories.sourceLine} />
      <p className="faint small">{t.repositories.serveHint}</p>
      <p>
        <button type="button" className="button" onClick={() => setAsked(true)}>
          {t.publish.update}
        </button>
      </p>
      {asked && <UpdateDialog publication={publication} onClose={() => setAsked(false)} />}
    </div>
  );
}
