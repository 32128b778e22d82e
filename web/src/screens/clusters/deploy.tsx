// Creating a server group, or one like another: the form, what will happen, then its instances as they come up.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { accountsQuery, instanceTypesQuery } from '../../api/accounts';
import { firewallsQuery, imagesQuery } from '../../api/choices';
import type { Execution } from '../../api/execution';
import { upCount, type ServerGroup } from '../../api/inventory';
import type { Named } from '../../api/named';
import { balancersQuery, repositoriesQuery } from '../../api/queries';
import { list, map, text } from '../../api/read';
import { wordOf } from '../../parts/following';
import { JobDialog } from '../../parts/job-dialog';
import { OpenLink } from '../../parts/open-link';
import { firstPlace, zonesOf, type At } from '../../parts/place';
import { Tiles } from '../../parts/tiles';
import { useTexts } from '../../texts';
import { GroupForm, type Choices } from './deploy-form';
import { clusterOf, copyOf, creation, newGroup, problemsOfGroup, type GroupDraft } from './deploy-draft';
import { shortImage } from './names';
import { nextName } from './naming';
import { outlook } from './strategies';

interface Props {
  application: string;
  all: ServerGroup[];
  /** The one that is copied; a new one without. */
  copied: ServerGroup | undefined;
  onClose: () => void;
  onSelect: (group: Named, instance: string) => void;
}

/** The form opens once all that there is to choose from is here. */
export function Deploy(props: Props) {
  const { application, copied } = props;
  const accounts = useQuery(accountsQuery()).data;
  const balancers = useQuery(balancersQuery(application)).data;
  const firewalls = useQuery(firewallsQuery(application)).data;
  const images = useQuery(imagesQuery()).data;
  const types = useQuery(instanceTypesQuery()).data;
  const repositories = useQuery(repositoriesQuery()).data;
  if (accounts === undefined || balancers === undefined || firewalls === undefined || images === undefined || types === undefined || repositories === undefined) return null;
  const found = repositories.publications.length === 0 ? [] : repositories.repositories.flatMap((one) => one.packages);
  const packages = [...new Set(found.flatMap((one) => [`${one.name}=${one.version}`, one.name]))].sort();
  const choices = { accounts, balancers, firewalls, images, packages, publications: repositories.publications, types };
  const at = firstPlace(accounts);
  const behind = balancers.filter((one) => one.account === at.account && one.region === at.region).map((one) => one.name);
  const runs = images.length > 0 ? 'image' : packages.length > 0 ? 'package' : 'folder';
  const start = copied === undefined ? newGroup(at, behind.length === 1 ? behind : [], runs) : copyOf(copied, zonesOf(accounts, copied));
  return <DeployDialog {...props} start={start} choices={choices} />;
}

function DeployDialog({ application, all, copied, onClose, onSelect, start, choices }: Props & { start: GroupDraft; choices: Choices }) {
  const t = useTexts();
  const w = t.newGroup;
  const [draft, setDraft] = useState(start);
  // The name is that of the moment at which it was asked for: afterwards the group itself is in the list.
  const [before, setBefore] = useState(all);
  const cluster = clusterOf(draft, application);
  const own = before.filter((one) => one.account === draft.account && one.region === draft.region);
  const name = nextName(cluster, before.filter((one) => one.account === draft.account));
  const older = own.filter((one) => one.cluster === cluster).sort((a, b) => (b.createdTime ?? 0) - (a.createdTime ?? 0));
  const zones = zonesOf(choices.accounts, draft);
  const { lines, destroys } = draft.traffic ? outlook(draft.strategy, draft.options, name, older, t) : { lines: [], destroys: false };
  const running = draft.runs === 'package' ? draft.package : shortImage(draft.runs === 'image' ? (choices.images.find((one) => one.id === draft.image)?.name ?? draft.image) : draft.folder);
  return (
    <JobDialog
      title={copied === undefined ? w.create : w.copy(copied.name)}
      verb={w.deploy}
      destroys={destroys}
      asked={creation(draft, application, name, copied, zones)}
      problems={problemsOfGroup(draft, application, t)}
      onClose={onClose}
      onBack={() => setBefore(all)}
      beneath={(task) => <Coming task={task} all={all} at={draft} choices={choices} balancers={draft.balancers} onSelect={onSelect} />}
    >
      {(say) => (
        <>
          <GroupForm draft={draft} set={setDraft} say={say} choices={choices} name={name} isCopy={copied !== undefined} />
          <div className={destroys ? 'form-sum losing' : 'form-sum'}>
            <p>{w.makes(name, Number(draft.desired) || 0, running === undefined || running === '' ? '…' : running, (draft.spread ? zones : draft.zones).join(', '))}</p>
            <p>{draft.traffic ? (draft.balancers.length === 0 ? w.unreached : w.getsTraffic(draft.balancers.join(', '))) : w.dark}</p>
            {lines.map((line) => (
              <p key={line}>{line}</p>
            ))}
          </div>
        </>
      )}
    </JobDialog>
  );
}

/** Which group the task has made: its stage tells. */
function madeBy(task: Execution | undefined): string | undefined {
  for (const stage of task?.stages ?? []) {
    const made = Object.values(map(stage.context['deploy.server.groups'])).flatMap(list);
    if (made.length > 0) return text(made[0]);
  }
  return undefined;
}

function Coming({ task, all, at, choices, balancers, onSelect }: { task: Execution | undefined; all: ServerGroup[]; at: At; choices: Choices; balancers: string[]; onSelect: Props['onSelect'] }) {
  const t = useTexts();
  const made = madeBy(task);
  const group = all.find((one) => one.name === made && one.account === at.account && one.region === at.region);
  if (group === undefined) return null;
  const addresses = choices.balancers.filter((one) => balancers.includes(one.name) && one.account === group.account).flatMap((one) => one.listeners.map((listener) => listener.address));
  // Why one is down, unless the task says it itself.
  const told = task === undefined ? '' : wordOf(task, t);
  const down = group.instances.find((one) => one.state === 'Down' && one.why !== undefined && !told.includes(one.why));
  return (
    <>
      <p className="row" data-coming={group.name}>
        <bdi className="strong">{group.name}</bdi>
        <Tiles instances={group.instances} onSelect={(instance) => onSelect(group, instance)} />
        <span className="soft small">{t.clusters.upOf(upCount(group.instances), group.capacity.desired)}</span>
      </p>
      {down !== undefined && (
        <p className="why tone-edge-bad">
          <bdi>{down.name}</bdi>: <bdi>{down.why}</bdi>
        </p>
      )}
      {task?.status === 'SUCCEEDED' && (
        <p className="next">
          {addresses.map((address) => (
            <OpenLink key={address} address={address} word={t.newGroup.open(address)} />
          ))}
        </p>
      )}
    </>
  );
}
