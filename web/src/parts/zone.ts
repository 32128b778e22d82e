// The zone in which exact times are shown: the reader's own, UTC, or the team's, in which cron triggers count. The choice is kept on this machine,
// and with it what the server said of the team's zone, so that the first times are right before it says it again.

import { useSyncExternalStore } from 'react';

export const ZONES = ['own', 'team', 'utc'] as const;
export type Zone = (typeof ZONES)[number];

const KEPT = 'gennaker.zone';
const KEPT_TEAM = 'gennaker.zone.team';
const listeners = new Set<() => void>();
let chosen: Zone | undefined;
let team: string | undefined;

export function firstZone(kept: string | null): Zone {
  return ZONES.find((zone) => zone === kept) ?? 'own';
}

/** Whether the browser knows a zone of that name. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name !== '';
  } catch {
    return false;
  }
}

const kept = (key: string) => (typeof localStorage === 'undefined' ? null : localStorage.getItem(key));

function current(): Zone {
  chosen ??= firstZone(kept(KEPT));
  return chosen;
}

/** The name of the team's zone, once it is known: `Asia/Seoul`. */
export function teamZone(): string | undefined {
  team ??= kept(KEPT_TEAM) ?? '';
  return isZone(team) ? team : undefined;
}

/** The server says which zone the team's is. */
export function learnTeamZone(name: string): void {
  if (name === teamZone() || !isZone(name)) return;
  localStorage.setItem(KEPT_TEAM, name);
  team = name;
  tell();
}

/** The zone as `Intl` names it; nothing stands for the reader's own. */
export function chosenZone(): string | undefined {
  return { own: undefined, team: teamZone(), utc: 'UTC' }[current()];
}

/** The name of the reader's own zone: `Asia/Seoul`. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The zones to choose from: the team's as soon as it is known. */
export function zonesOffered(): Zone[] {
  return ZONES.filter((zone) => zone !== 'team' || teamZone() !== undefined);
}

export function chooseZone(zone: Zone): void {
  localStorage.setItem(KEPT, zone);
  chosen = zone;
  tell();
}

function tell() {
  for (const one of listeners) one();
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The choice. Who uses it is drawn anew when another zone is meant by it, too. */
export function useZone(): Zone {
  useSyncExternalStore(listen, teamZone);
  return useSyncExternalStore(listen, current);
}

/** How far a zone's clocks are ahead of UTC at a moment. */
function offsetAt(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' }).formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) - Math.floor(at / 1000) * 1000;
}

/** When a day (`2026-03-01`) begins in a zone; nothing for what is no day. */
export function dayBegins(day: string, zone: string | undefined): number | undefined {
  const at = new Date(`${day}T00:00:00${zone === undefined ? '' : 'Z'}`).getTime();
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(at)) return undefined;
  if (zone === undefined) return at;
  // The clocks may be changed between this moment in UTC and in the zone: then the second look is right.
  const near = at - offsetAt(at, zone);
  return at - offsetAt(near, zone);
}
