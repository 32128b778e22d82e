// The fields of a server group: its name as one types it, what it runs, who reaches it, how large it is and where.

import type { Account, InstanceType } from '../../api/accounts';
import type { Image } from '../../api/choices';
import type { Named } from '../../api/named';
import type { Balancer } from '../../api/inventory';
import type { Publication } from '../../api/repositories';
import { Choice, NumberField, Pairs, Part, Radios, TextField, Tick, Ticks } from '../../parts/form';
import type { Say } from '../../parts/job-dialog';
import { Place, zonesOf } from '../../parts/place';
import { useTexts } from '../../texts';
import type { GroupDraft } from './deploy-draft';
import { shortImage } from './names';
import { StrategyFields } from './strategy-fields';

/** All that there is to choose from. */
export interface Choices {
  accounts: Account[];
  balancers: Balancer[];
  firewalls: Named[];
  images: Image[];
  /** `helloterry=2.0`, and `helloterry` for the newest. */
  packages: string[];
  publications: Publication[];
  types: InstanceType[];
}

interface Props {
  draft: GroupDraft;
  set: (draft: GroupDraft) => void;
  say: Say;
  choices: Choices;
  /** What it will be called. */
  name: string;
  isCopy: boolean;
}

export function GroupForm({ draft, set, say, choices, name, isCopy }: Props) {
  const t = useTexts();
  const w = t.newGroup;
  const change = (some: Partial<GroupDraft>) => set({ ...draft, ...some });
  const here = (one: { account: string; region: string }) => one.account === draft.account && one.region === draft.region;
  const zones = zonesOf(choices.accounts, draft);
  const types = choices.types.filter((one) => one.account === draft.account).map((one) => one.name);
  return (
    <>
      <Part title={w.nameAndPlace}>
        <TextField label={w.stack} value={draft.stack} help={w.stackHelp} error={say('stack')} onChange={(stack) => change({ stack })} />
        <TextField label={w.detail} value={draft.detail} help={w.detailHelp} error={say('detail')} onChange={(detail) => change({ detail })} />
        <Place accounts={choices.accounts} at={draft} onChange={(at) => change({ ...at, balancers: [], firewalls: [], spread: true, zones: [] })} />
        <p className="group-name wide" aria-live="polite">
          <span className="soft small">{w.named}</span> <bdi className="strong mono">{name}</bdi>
        </p>
      </Part>
      <Part title={w.runs}>
        <Radios
          label={w.runs}
          value={draft.runs}
          options={[
            { value: 'image', word: w.image },
            { value: 'package', word: w.package },
            { value: 'folder', word: w.folder },
          ]}
          onChange={(runs) => change({ runs })}
        />
        <RunsFields draft={draft} change={change} say={say} choices={choices} />
      </Part>
      <Part title={w.trafficPart}>
        <Ticks label={w.balancers} options={choices.balancers.filter(here).map((one) => one.name)} chosen={draft.balancers} none={w.noBalancers} onChange={(balancers) => change({ balancers })} />
        <Ticks label={w.firewalls} options={choices.firewalls.filter(here).map((one) => one.name)} chosen={draft.firewalls} none={t.common.none} onChange={(firewalls) => change({ firewalls })} />
        <Tick wide label={w.traffic} help={w.trafficHelp} checked={draft.traffic} onChange={(traffic) => change({ traffic })} />
      </Part>
      <Part title={w.size}>
        <NumberField required label={w.instances} value={draft.desired} error={say('desired')} onChange={(desired) => change({ desired })} />
        <TextField label={w.instanceType} value={draft.instanceType} options={types} {...(types.length === 0 ? { help: w.noTypes } : {})} onChange={(instanceType) => change({ instanceType })} />
        <Tick wide label={w.ranged} checked={draft.ranged} onChange={(ranged) => change({ ranged, ...(ranged ? { min: draft.desired, max: draft.desired } : {}) })} />
        {draft.ranged && <NumberField label={w.min} value={draft.min} error={say('min')} onChange={(min) => change({ min })} />}
        {draft.ranged && <NumberField label={w.max} value={draft.max} error={say('max')} onChange={(max) => change({ max })} />}
        <Tick wide label={w.spread(zones.join(', '))} checked={draft.spread} onChange={(spread) => change({ spread, zones: spread ? [] : draft.zones })} />
        {!draft.spread && <Ticks wide label={w.onlyZones} options={zones} chosen={draft.zones} none={t.common.none} error={say('zones')} onChange={(chosen) => change({ zones: chosen })} />}
      </Part>
      <StrategyFields draft={draft} set={set} say={say} />
      <Part title={w.env}>
        {isCopy && <p className="soft small">{w.envNotCopied}</p>}
        <Pairs rows={draft.env} add={w.addVariable} error={(at) => say(`env${at}`)} onChange={(env) => change({ env })} />
      </Part>
    </>
  );
}

function RunsFields({ draft, change, say, choices }: { draft: GroupDraft; change: (some: Partial<GroupDraft>) => void; say: Say; choices: Choices }) {
  const w = useTexts().newGroup;
  switch (draft.runs) {
    case 'image': {
      if (choices.images.length === 0) return <TextField wide required label={w.image} value={draft.image} help={w.noImages} error={say('image')} onChange={(image) => change({ image })} />;
      const all = choices.images.filter((one) => one.account === draft.account).map((one) => ({ value: one.id, word: [one.version, one.name].filter((part) => part !== '').join(' · ') }));
      const unknown = draft.image === '' || all.some((one) => one.value === draft.image) ? [] : [{ value: draft.image, word: shortImage(draft.image) ?? draft.image }];
      return <Choice wide required label={w.image} help={w.imageHelp} value={draft.image} options={[{ value: '', word: w.choose }, ...unknown, ...all]} error={say('image')} onChange={(image) => change({ image })} />;
    }
    case 'package':
      return (
        <>
          <TextField wide={choices.publications.length < 2} required label={w.package} value={draft.package} options={choices.packages} placeholder={choices.packages[0] ?? 'hello=1.0'} help={w.packageHelp} error={say('package')} onChange={(value) => change({ package: value })} />
          {choices.publications.length > 1 && (
            <Choice
              label={w.publication}
              value={draft.publication}
              options={[{ value: '', word: w.anyPublication }, ...choices.publications.map((one) => ({ value: `${one.prefix} ${one.distribution}`, word: `${one.prefix}/${one.distribution}` }))]}
              onChange={(publication) => change({ publication })}
            />
          )}
        </>
      );
    case 'folder':
      return <TextField wide required label={w.folder} value={draft.folder} placeholder="/srv/images/hello-1.0" help={w.folderHelp} error={say('folder')} onChange={(folder) => change({ folder })} />;
  }
}
