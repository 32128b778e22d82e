// The first start: three cards, gone after the first object.

import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { SAMPLE } from '../../api/first';
import { Copyable } from '../../parts/dialog';
import { DropPlace } from '../../parts/drop';
import { useTexts } from '../../texts';
import { DropDialog, SampleDialog } from './first-dialogs';
import { UpDialog } from './up-dialog';

export function FirstCards() {
  const t = useTexts();
  const navigate = useNavigate();
  const [files, setFiles] = useState<File[]>([]);
  const [service, setService] = useState<File>();
  const [sample, setSample] = useState(false);
  // One package may be a service; several are a repository.
  const take = (dropped: File[]) => (dropped.length === 1 && dropped[0]?.name.endsWith('.deb') ? setService(dropped[0]) : setFiles(dropped));
  return (
    <section className="section" aria-labelledby="first">
      <h2 id="first" className="first-title">
        {t.first.title}
      </h2>
      <p className="soft small">{t.first.says}</p>
      <div className="first-cards">
        <DropPlace className="first-card" button="button primary" word={t.first.choose} onFiles={take}>
          {(button) => (
            <>
              <h3>{t.first.drop}</h3>
              <p>{t.first.dropSays}</p>
              {button}
              <p className="soft small first-below">{t.common.asCommand}:</p>
              <Copyable text="gennaker up FILE.deb" />
            </>
          )}
        </DropPlace>
        <article className="first-card">
          <h3>{t.first.sample}</h3>
          <p>{t.first.sampleSays}</p>
          <button type="button" className="button primary" onClick={() => setSample(true)} data-sample>
            {t.first.sampleButton}
          </button>
          <p className="soft small first-below">{t.first.whole}</p>
          <Copyable text="gennaker demo" />
        </article>
        <article className="first-card">
          <h3>{t.first.import}</h3>
          <p>{t.first.importSays}</p>
          <Copyable text="gennaker import aptly --check" />
          <p className="first-below">{t.first.importSpinnaker}</p>
          <Copyable text={`gennaker application save -f application.json --server ${location.origin}`} />
          <Copyable text={`gennaker pipeline save -f pipeline.json --server ${location.origin}`} />
        </article>
      </div>
      {service !== undefined && (
        <UpDialog
          file={service}
          onClose={() => setService(undefined)}
          onRepository={() => {
            setFiles([service]);
            setService(undefined);
          }}
          onDone={(up) =>
            void (up.execution === undefined
              ? navigate({ to: '/applications/$application/pipelines', params: { application: up.application } })
              : navigate({ to: '/applications/$application/runs/$run', params: { application: up.application, run: up.execution } }))
          }
        />
      )}
      {files.length > 0 && <DropDialog files={files} onClose={() => setFiles([])} onDone={() => void navigate({ to: '/repositories' })} />}
      {sample && (
        <SampleDialog onClose={() => setSample(false)} onDone={() => void navigate({ to: '/applications/$application/pipelines', params: { application: SAMPLE }, search: { pipeline: t.first.pipelineName } })} />
      )}
    </section>
  );
}
