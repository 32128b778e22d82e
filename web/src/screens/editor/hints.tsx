// What can be meant by some fields, offered while they are typed: accounts, applications, pipelines, load balancers, packages.

import { useQuery } from '@tanstack/react-query';
import { accountsQuery } from '../../api/accounts';
import { documentsQuery } from '../../api/editor';
import { applicationsQuery, balancersQuery, repositoriesQuery } from '../../api/queries';
import { text } from '../../api/read';

const LISTS: Record<string, string> = {
  account: 'accounts',
  credentials: 'accounts',
  accountName: 'accounts',
  application: 'applications',
  pipelineApplication: 'applications',
  pipeline: 'pipelines',
  pipelineId: 'pipelines',
  loadBalancers: 'balancers',
  package: 'packages',
  strategy: 'strategies',
};

const STRATEGIES = ['none', 'highlander', 'redblack', 'rollingredblack', 'rolling', 'canary', 'custom'];

/** The list that a field of this name chooses from. */
export function hintsId(name: string): string | undefined {
  const list = LISTS[name];
  return list === undefined ? undefined : `hints-${list}`;
}

export function Hints({ application }: { application: string }) {
  const accounts = (useQuery(accountsQuery()).data ?? []).map((one) => one.name);
  const applications = useQuery(applicationsQuery()).data ?? [];
  const pipelines = useQuery(documentsQuery(application)).data ?? [];
  const balancers = useQuery(balancersQuery(application)).data ?? [];
  const repositories = useQuery(repositoriesQuery()).data?.repositories ?? [];
  const packages = new Set(repositories.flatMap((one) => one.packages.map((each) => each.name)));
  return (
    <>
      <Hint id="accounts" of={accounts} />
      <Hint id="applications" of={applications.map((one) => one.name)} />
      <Hint id="balancers" of={balancers.map((one) => one.name)} />
      <Hint id="packages" of={[...packages].sort()} />
      <Hint id="strategies" of={STRATEGIES} />
      <datalist id="hints-pipelines">
        {pipelines.map((one) => (
          <option key={text(one.id)} value={text(one.id)} label={text(one.name)} />
        ))}
      </datalist>
    </>
  );
}

function Hint({ id, of }: { id: string; of: string[] }) {
  return (
    <datalist id={`hints-${id}`}>
      {[...new Set(of)].map((one) => (
        <option key={one} value={one} />
      ))}
    </datalist>
  );
}
