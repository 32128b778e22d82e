// Recipes: how packages get into a repository from a shell and from build servers. Each is complete but for the names.

import { getRouteApi } from '@tanstack/react-router';
import type { Repositories } from '../../api/repositories';
import { CopyButton } from '../../parts/dialog';
import { useTexts } from '../../texts';
import { changed } from './parts';
import { recipes } from './recipe';

const route = getRouteApi('/repositories');

export function RecipesPart({ all }: { all: Repositories }) {
  const t = useTexts();
  const { repository } = route.useSearch();
  const navigate = route.useNavigate();
  const name = repository ?? all.repositories[0]?.name ?? 'my-repo';
  const publication = all.publications.find((one) => one.sources.includes(name));
  return (
    <>
      <label className="row small soft">
        {t.recipes.repository}
        <select className="field" value={name} onChange={(event) => void navigate({ search: (before) => changed(before, 'repository', event.target.value), replace: true })}>
          {(all.repositories.length === 0 ? [name] : all.repositories.map((one) => one.name)).map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      {recipes(location.origin, name, publication).map((one) => (
        <section key={one.kind} className="recipe" data-recipe={one.kind}>
          <h2 className="row">
            {t.recipes.titles[one.kind]}
            <span className="faint small">
              <code>{one.file}</code>
            </span>
            <span className="grow" />
            <CopyButton text={one.text} />
          </h2>
          <pre tabIndex={0}>{one.text}</pre>
        </section>
      ))}
    </>
  );
}
