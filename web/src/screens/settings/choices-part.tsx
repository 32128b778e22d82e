// Language, theme and time zone: kept on this machine, in force at once.

import type { ReactNode } from 'react';
import { THEMES, useTheme } from '../../app/theme';
import { exact } from '../../parts/time';
import { useNow } from '../../parts/when';
import { chooseZone, ownZone, teamZone, useZone, zonesOffered, type Zone } from '../../parts/zone';
import { languageNames, languages, useLanguage, type Language } from '../../texts';

export function ChoicesPart() {
  const { t, language, speak } = useLanguage();
  const [theme, setTheme] = useTheme();
  const zone = useZone();
  const now = useNow();
  const words: Record<Zone, string> = { own: t.setup.ownZone(ownZone()), team: t.setup.teamZone(teamZone() ?? ''), utc: 'UTC' };
  return (
    <section className="section" aria-labelledby="settings-page">
      <h2 id="settings-page">{t.setup.page}</h2>
      <Choice legend={t.settings.language} name="language">
        {(Object.keys(languages) as Language[]).map((one) => (
          <Option key={one} name="language" chosen={language === one} onChoose={() => speak(one)}>
            <span lang={one}>{languageNames[one]}</span>
          </Option>
        ))}
      </Choice>
      <Choice legend={t.settings.theme} name="theme">
        {THEMES.map((one) => (
          <Option key={one} name="theme" chosen={theme === one} onChoose={() => setTheme(one)}>
            {t.settings[one]}
          </Option>
        ))}
      </Choice>
      <Choice legend={t.setup.zone} name="zone">
        {zonesOffered().map((one) => (
          <Option key={one} name="zone" chosen={zone === one} onChoose={() => chooseZone(one)}>
            {words[one]}
          </Option>
        ))}
      </Choice>
      <p className="small soft">
        {t.setup.nowIs} <time data-now>{exact(now, language)}</time>
      </p>
    </section>
  );
}

function Choice({ legend, name, children }: { legend: string; name: string; children: ReactNode }) {
  return (
    <fieldset className="settings-choice" data-choice={name}>
      <legend>{legend}</legend>
      {children}
    </fieldset>
  );
}

function Option({ name, chosen, onChoose, children }: { name: string; chosen: boolean; onChoose: () => void; children: ReactNode }) {
  return (
    <label className="settings-option">
      <input type="radio" name={name} checked={chosen} onChange={onChoose} /> <span>{children}</span>
    </label>
  );
}
