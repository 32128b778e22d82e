// One day of what happened: a row for each, which leads to where it is seen whole.

import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Kind } from '../../api/activity';
import { Draw, type Drawing } from '../../parts/icons';
import { Mark } from '../../parts/mark';
import { clock, exact } from '../../parts/time';
import { useLanguage } from '../../texts';
import type { Happening } from './events';

const DRAWINGS: Record<Kind, Drawing> = { run: 'pipeline', task: 'check', repository: 'repositories', save: 'settings', notification: 'bell' };

export function DayRows({ day, happenings, onWho }: { day: string; happenings: Happening[]; onWho: (who: string) => void }) {
  const { t, language } = useLanguage();
  return (
    <tbody>
      <tr className="activity-day">
        <th colSpan={5} scope="rowgroup">
          {day}
        </th>
      </tr>
      {happenings.map((one) => (
        <tr key={one.key} data-row data-happening={one.kind} data-who={one.who}>
          <td className="soft activity-time">
            <time dateTime={new Date(one.at).toISOString()} title={exact(one.at, language)}>
              {clock(one.at)}
            </time>
          </td>
          <td>
            <button type="button" className="activity-who" onClick={() => onWho(one.who)} title={t.activity.only(one.who)}>
              <bdi>{one.who}</bdi>
            </button>
          </td>
          <td>
            <span className="activity-what">
              <span className="faint" title={t.activity.kinds[one.kind]}>
                <Draw what={DRAWINGS[one.kind]} />
                <span className="hidden-words">{t.activity.kinds[one.kind]}</span>
              </span>
              <span className="activity-text">
                <Where happening={one}>
                  <bdi>{one.what}</bdi>
                </Where>
                {one.detail !== '' && (
                  <span className="soft small activity-detail">
                    <bdi>{one.detail}</bdi>
                  </span>
                )}
              </span>
            </span>
          </td>
          <td className="soft wide-only">
            <bdi>{one.object}</bdi>
          </td>
          <td>
            <Mark said={one.said} />
          </td>
        </tr>
      ))}
    </tbody>
  );
}

function Where({ happening: { to }, children }: { happening: Happening; children: ReactNode }) {
  const className = 'strong';
  switch (to.screen) {
    case 'run':
      return <Link className={className} to="/applications/$application/runs/$run" params={{ application: to.application, run: to.id }}>{children}</Link>;
    case 'task':
      return <Link className={className} to="/applications/$application/tasks" params={{ application: to.application }} search={{ task: to.id }}>{children}</Link>;
    case 'pipeline':
      return <Link className={className} to="/applications/$application/pipelines" params={{ application: to.application }} search={{ pipeline: to.id }}>{children}</Link>;
    case 'config':
      return <Link className={className} to="/applications/$application/config" params={{ application: to.application }}>{children}</Link>;
    case 'projects':
      return <Link className={className} to="/projects">{children}</Link>;
    case 'repositories':
      return <Link className={className} to="/repositories">{children}</Link>;
  }
}
