// A repository or a snapshot is published for the first time: where to, as what, signed or not.

import { useState } from 'react';
import { publish } from '../../api/publish';
import { TextField, Tick } from '../../parts/form';
import { useTexts } from '../../texts';
import { DoingDialog } from './doing';
import { wordsOf } from './parts';

interface Props {
  kind: 'repo' | 'snapshot';
  source: string;
  distribution: string;
  component: string;
  onClose: () => void;
}

export function PublishDialog({ kind, source, distribution: usual, component: first, onClose }: Props) {
  const t = useTexts();
  const [distribution, setDistribution] = useState(usual);
  const [component, setComponent] = useState(first);
  const [prefix, setPrefix] = useState('');
  const [architectures, setArchitectures] = useState('');
  const [signed, setSigned] = useState(true);
  return (
    <DoingDialog title={t.publications.publishOf(source)} word={t.publications.publish} doing={publish({ kind, source, prefix, distribution, component, architectures: wordsOf(architectures), signed })} ready={distribution !== ''} onClose={onClose}>
      <TextField label={t.repositories.distribution} value={distribution} onChange={setDistribution} placeholder="stable" />
      <TextField label={t.repositories.component} value={component} onChange={setComponent} placeholder="main" />
      <TextField label={t.publications.architectures} value={architectures} onChange={setArchitectures} help={t.publications.architecturesHint} />
      <TextField label={t.publications.prefix} value={prefix} onChange={setPrefix} help={t.publications.prefixHint} />
      <Tick label={t.operations.unsigned} checked={!signed} onChange={(checked) => setSigned(!checked)} />
      <p className="soft">{t.publications.publishSays}</p>
    </DoingDialog>
  );
}
