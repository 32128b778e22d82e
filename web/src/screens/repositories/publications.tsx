// All publications, with what each showed before.

import { placeOf, type PublicationHistory } from '../../api/repositories';
import { Empty } from '../../parts/answers';
import { Copyable } from '../../parts/dialog';
import { useTexts } from '../../texts';
import { PublicationPart } from './publication';

export function PublicationsPart({ publications }: { publications: PublicationHistory[] }) {
  const t = useTexts();
  if (publications.length === 0) {
    return (
      <Empty>
        <p>{t.publications.empty}</p>
        <Copyable label={t.repositories.emptyCommand} text="aptly publish repo my-repo" />
      </Empty>
    );
  }
  return (
    <>
      {publications.map((one) => (
        <section key={`${one.root} ${placeOf(one)}`} className="repository">
          <h2>
            <bdi>{placeOf(one)}</bdi>
            <span className="faint small">
              {t.publications.madeOf}: <bdi>{one.sources.join(', ')}</bdi>
            </span>
          </h2>
          <PublicationPart publication={one} generations={one.generations} />
        </section>
      ))}
    </>
  );
}
