// Beside the buttons of a judgment: who started the run, how long it waits and until when, what either answer does, and which versions it is about.

import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { waitingOf, type Execution, type Stage } from '../../api/execution';
import { serverGroupsQuery } from '../../api/queries';
import { startedBy } from '../../parts/started';
import { duration, exact } from '../../parts/time';
import { Ago, Took, useNow } from '../../parts/when';
import { useLanguage } from '../../texts';
import { followsOf, versionsOf } from './judged';

export function JudgmentFacts({ run, stage }: { run: Execution; stage: Stage }) {
  const { t, language } = useLanguage();
  const now = useNow();
  const groups = useQuery(serverGroupsQuery(run.application));
  const waiting = waitingOf(run, stage);
  const follows = followsOf(run, stage);
  const versions = versionsOf(run, groups.data ?? []);
  return (
    <dl className="facts judgment-facts">
      {versions.map((one) => (
        <Fact key={`${one.cluster} ${one.to}`} term={t.runMore.versions}>
          <span className="faint">{one.cluster}: </span>
          <bdi className="strong">{one.from === undefined ? `${one.to} (${t.runMore.firstVersion})` : t.runMore.fromTo(one.from, one.to)}</bdi>
        </Fact>
      ))}
      <Fact term={t.runMore.startedBy}>
        <bdi>{startedBy(run.trigger, run.user, t)}</bdi>, <Ago at={run.startTime ?? run.buildTime} />
      </Fact>
      <Fact term={t.runMore.waited}>
        <Took from={waiting?.since ?? stage.startTime} to={undefined} />
      </Fact>
      {waiting?.until !== undefined && (
        <Fact term={t.runMore.expires}>
          {t.runMore.expiresIn(duration(Math.max(0, waiting.until - now), t))}, <time dateTime={new Date(waiting.until).toISOString()}>{exact(waiting.until, language)}</time>
        </Fact>
      )}
      <Fact term={t.runMore.thenContinue}>{follows.continues.length === 0 ? t.runMore.nothingAfter : <Names names={follows.continues} />}</Fact>
      <Fact term={t.runMore.thenStop}>
        {follows.continues.length === 0 ? (
          t.runMore.stopEndsAll
        ) : (
          <>
            {follows.goesOn ? t.runMore.stopContinues : t.runMore.stopEnds} <Names names={follows.goesOn ? follows.stops : follows.continues} />
          </>
        )}
      </Fact>
    </dl>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Names({ names }: { names: string[] }) {
  return (
    <ul>
      {names.map((name, at) => (
        <li key={at}>
          <bdi>{name}</bdi>
        </li>
      ))}
    </ul>
  );
}
