// Editing the attributes: what will change is listed while one types; only that is sent.

import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { update, updateSaid } from '../../api/application';
import { text, type JsonMap } from '../../api/read';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { entered } from '../../parts/enter';
import { Choice, NumberField, Part, TextArea, TextField, Tick } from '../../parts/form';
import { useTexts } from '../../texts';
import { FLAG_FIELDS, REPO_TYPES, changesOf, formOf, wrongIn, type Form, type TextField as TextKey } from './attributes';
import { Changes } from './changes';
import { useRenewal } from './renew';

const ORDER: TextKey[] = ['email', 'description', 'instancePort', 'cloudProviders', 'repoType', 'repoProjectKey', 'repoSlug'];

export function EditDialog({ application, attributes, onClose }: { application: string; attributes: JsonMap; onClose: () => void }) {
  const t = useTexts();
  const renew = useRenewal(application);
  const [form, setForm] = useState<Form>(() => formOf(attributes));
  const wrong = wrongIn(form);
  const sound = Object.keys(wrong).length === 0;
  const changes = sound ? changesOf(attributes, form) : {};
  const ready = Object.keys(changes).length > 0;
  const going = useMutation({
    mutationFn: () => update(application, changes),
    onSuccess: async () => {
      await renew();
      onClose();
    },
  });
  const go = () => {
    if (ready && !going.isPending) going.mutate();
  };
  const said = (fault: keyof typeof t.config.wrong | undefined) => fault && t.config.wrong[fault];
  const set = (part: Partial<Form>) => setForm({ ...form, ...part });
  return (
    <Dialog
      title={t.config.editing(application)}
      onClose={onClose}
      foot={
        <DialogFoot error={going.error} close={t.common.cancel} onClose={onClose}>
          <button type="button" className="button primary" disabled={!ready || going.isPending} onClick={go} data-confirm="save">
            {t.config.save}
          </button>
        </DialogFoot>
      }
    >
      <div className="form" onKeyDown={(event) => !(event.target instanceof HTMLTextAreaElement) && entered(event) && go()}>
        <Part>
          {ORDER.map((key) => (
            <Attribute key={key} name={key} value={form[key]} error={said(wrong[key])} onChange={(value) => set({ [key]: value })} />
          ))}
          {FLAG_FIELDS.map((key) => (
            <Tick key={key} wide label={t.config.names[key]} checked={form[key]} onChange={(checked) => set({ [key]: checked })} />
          ))}
          <TextArea wide label={t.config.names.permissions} value={form.permissions} error={said(wrong.permissions)} help={t.config.help.permissions} placeholder={'{"READ": ["…"], "EXECUTE": ["…"], "WRITE": ["…"]}'} onChange={(permissions) => set({ permissions })} />
        </Part>
      </div>
      {sound && <Changes says={t.config.changes} none={t.config.nothing} changes={Object.entries(changes).map(([key, after]) => ({ key, before: attributes[key], after }))} />}
      {ready && <SameAs said={updateSaid(location.origin, application, text(attributes.email), changes)} />}
    </Dialog>
  );
}

function Attribute({ name, value, error, onChange }: { name: TextKey; value: string; error: string | undefined; onChange: (value: string) => void }) {
  const t = useTexts();
  const helps: Partial<Record<TextKey, string>> = t.config.help;
  const about = { label: t.config.names[name], help: helps[name], error, value, onChange };
  if (name === 'repoType') {
    const known = [...new Set([...REPO_TYPES, value])].filter((one) => one !== '').map((one) => ({ value: one, word: one }));
    return <Choice {...about} options={[{ value: '', word: t.common.none }, ...known]} />;
  }
  return name === 'instancePort' ? <NumberField {...about} /> : <TextField {...about} type={name === 'email' ? 'email' : 'text'} />;
}
