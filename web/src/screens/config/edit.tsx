// Editing the attributes: what will change is listed while one types; only that is sent.

import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { update, updateSaid } from '../../api/application';
import { text, type JsonMap } from '../../api/read';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { entered } from '../../parts/enter';
import { useTexts } from '../../texts';
import { FLAG_FIELDS, REPO_TYPES, changesOf, formOf, wrongIn, type Form, type TextField } from './attributes';
import { Changes } from './changes';
import { useRenewal } from './renew';

const ORDER: TextField[] = ['email', 'description', 'instancePort', 'cloudProviders', 'repoType', 'repoProjectKey', 'repoSlug'];

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
      <div
        className="form form-two"
        onKeyDown={(event) => {
          const many = event.target instanceof HTMLTextAreaElement;
          if (!many && entered(event)) go();
        }}
      >
        {ORDER.map((key) => (
          <Field key={key} name={key} value={form[key]} wrong={wrong[key]} onChange={(value) => set({ [key]: value })} />
        ))}
        {FLAG_FIELDS.map((key) => (
          <label key={key} className="form-flag form-wide">
            <input type="checkbox" checked={form[key]} onChange={(event) => set({ [key]: event.target.checked })} /> {t.config.names[key]}
          </label>
        ))}
        <label className="form-field form-wide">
          <span className="small soft">{t.config.names.permissions}</span>
          <textarea className="field form-json" rows={4} spellCheck={false} value={form.permissions} aria-invalid={wrong.permissions !== undefined} aria-describedby="config-help-permissions" placeholder={'{"READ": ["…"], "EXECUTE": ["…"], "WRITE": ["…"]}'} onChange={(event) => set({ permissions: event.target.value })} />
          <Below id="config-help-permissions" wrong={wrong.permissions} help={t.config.help.permissions} />
        </label>
      </div>
      {sound && <Changes says={t.config.changes} none={t.config.nothing} changes={Object.entries(changes).map(([key, after]) => ({ key, before: attributes[key], after }))} />}
      {ready && <SameAs said={updateSaid(location.origin, application, text(attributes.email), changes)} />}
    </Dialog>
  );
}

function Field({ name, value, wrong, onChange }: { name: TextField; value: string; wrong: keyof ReturnType<typeof useTexts>['config']['wrong'] | undefined; onChange: (value: string) => void }) {
  const t = useTexts();
  const helps: Partial<Record<TextField, string>> = t.config.help;
  const id = `config-help-${name}`;
  return (
    <label className="form-field">
      <span className="small soft">{t.config.names[name]}</span>
      {name === 'repoType' ? (
        <select className="field" value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{t.common.none}</option>
          {[...new Set([...REPO_TYPES, value])].filter((one) => one !== '').map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      ) : (
        <input className="field" type={name === 'email' ? 'email' : 'text'} inputMode={name === 'instancePort' ? 'numeric' : undefined} value={value} aria-invalid={wrong !== undefined} aria-describedby={id} onChange={(event) => onChange(event.target.value)} />
      )}
      <Below id={id} wrong={wrong} help={helps[name]} />
    </label>
  );
}

function Below({ id, wrong, help }: { id: string; wrong: keyof ReturnType<typeof useTexts>['config']['wrong'] | undefined; help: string | undefined }) {
  const t = useTexts();
  return (
    <span id={id} className={wrong === undefined ? 'small faint' : 'small tone-bad'}>
      {wrong === undefined ? help : t.config.wrong[wrong]}
    </span>
  );
}
