// Provenance: package, publication, image, server groups and instances in one line for each image, read in both directions. What is asked about is
// in the address, and everything in the picture leads to the same question about itself.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { told, type Chain, type Group, type PackageInIt } from '../../api/provenance';
import { provenanceQuery } from '../../api/queries';
import { Answered, Empty } from '../../parts/answers';
import { CopyButton } from '../../parts/dialog';
import { Mark } from '../../parts/mark';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { asked, ABOUT } from './about';
import './provenance.css';

const route = getRouteApi('/provenance');

export function ProvenanceScreen() {
  const t = useTexts();
  const about = asked(route.useSearch());
  const found = useQuery(provenanceQuery(about));
  return (
    <div className="screen">
      <div className="screen-head">
        <h1>{t.provenance.title}</h1>
        {ABOUT.map((what) => {
          const value = about[what];
          return (
            value !== undefined && (
              <span key={what} className="chip">
                {t.provenance.about[what]} <bdi className="strong">{value}</bdi>
                <Link to="/provenance" search={{}} className="word" aria-label={t.provenance.everything}>
                  ×
                </Link>
              </span>
            )
          );
        })}
      </div>
      <p className="soft small provenance-says">{t.provenance.says}</p>
      <Answered query={found}>
        {({ chains, cut }) =>
          chains.length === 0 ? (
            <Empty>{t.provenance.empty}</Empty>
          ) : (
            <>
              {chains.map((chain) => (
                <ChainPart key={chain.image} chain={chain} />
              ))}
              {cut && <p className="faint small">{t.provenance.cut(chains.length)}</p>}
            </>
          )
        }
      </Answered>
    </div>
  );
}

function ChainPart({ chain }: { chain: Chain }) {
  const t = useTexts();
  return (
    <section className="chain" aria-label={chain.name} data-chain={chain.name}>
      <Step title={t.provenance.packages}>
        {chain.packages.length === 0 ? <p className="faint small">{t.provenance.folder}</p> : chain.packages.map((one) => <PackagePart key={`${one.name} ${one.sha256}`} one={one} />)}
      </Step>
      <Step title={t.provenance.image}>
        <Link to="/provenance" search={{ image: chain.image }} className="strong">
          <bdi>{chain.name}</bdi>
        </Link>
        <p className="row small">
          <code className="cut faint" title={chain.image}>
            {chain.image}
          </code>
          <CopyButton text={chain.image} />
        </p>
        {chain.made !== undefined && (
          <p className="small soft">
            {t.provenance.made} <Ago at={chain.made} /> · {t.provenance.on(chain.base ?? '', chain.builder ?? '')}
          </p>
        )}
        {chain.bakedBy !== undefined && (
          <p className="small">
            <Link to="/applications/$application/runs/$run" params={{ application: chain.bakedBy.application, run: chain.bakedBy.id }} className="word">
              <bdi>{chain.bakedBy.name}</bdi>
            </Link>{' '}
            <span className="soft">{t.provenance.startedBy(chain.bakedBy.by || '–', chain.bakedBy.trigger)}</span>
          </p>
        )}
        {chain.notes.map((note) => (
          <p key={note} className="small faint">
            <bdi>{note}</bdi>
          </p>
        ))}
        <CopyButton text={told(chain)} />
      </Step>
      <Step title={t.provenance.groups}>{chain.groups.length === 0 ? <p className="faint small">{t.provenance.nowhere}</p> : chain.groups.map((group) => <GroupPart key={`${group.account} ${group.region} ${group.name}`} group={group} />)}</Step>
    </section>
  );
}

function Step({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="chain-step">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

function PackagePart({ one }: { one: PackageInIt }) {
  const t = useTexts();
  return (
    <div className="chain-package">
      <Link to="/provenance" search={{ package: `${one.name}_${one.version}_${one.architecture}` }} className="strong">
        <bdi>{one.name}</bdi> <bdi className="soft">{one.version}</bdi>
      </Link>
      {one.build.map(([name, said]) => (
        <p key={name} className="small soft">
          {name}: <bdi>{said}</bdi>
        </p>
      ))}
      {one.uploads.length === 0 && <p className="small faint">{t.provenance.noUpload}</p>}
      {one.uploads.map((upload) => (
        <p key={`${upload.into} ${upload.at}`} className="small soft" title={upload.command}>
          {t.provenance.into(upload.into, upload.who || '–')} <Ago at={upload.at} />
        </p>
      ))}
      {one.published.length > 0 && (
        <p className="small soft">
          {t.provenance.published}{' '}
          <Link to="/repositories" search={{ part: 'publications' }} className="word">
            <bdi>{one.published.join(', ')}</bdi>
          </Link>
        </p>
      )}
    </div>
  );
}

function GroupPart({ group }: { group: Group }) {
  const t = useTexts();
  return (
    <p className="row small">
      <Link to="/applications/$application/clusters" params={{ application: group.application }} search={{ group: group.name, account: group.account, region: group.region }} className="strong">
        <bdi>{group.name}</bdi>
      </Link>
      <span className="soft">
        {group.account} / {group.region} · {t.clusters.upOf(group.up, group.instances.length)}
      </span>
      {group.disabled && <Mark said={{ tone: 'notrun', word: t.status.disabled }} />}
    </p>
  );
}
