// The zone in which exact times are shown: the reader's own, or UTC. Kept on this machine.

import { useSyncExternalStore } from 'react';

export const ZONES = ['own', 'utc'] as const;
export type Zone = (typeof ZONES)[number];

const KEPT = 'gennaker.zone';
const listeners = new Set<() => void>();
let chosen: Zone | undefined;

export function firstZone(kept: string | null): Zone {
  return ZONES.find((zone) => zone === kept) ?? 'own';
}

function current(): Zone {
  chosen ??= firstZone(typeof localStorage === 'undefined' ? null : localStorage.getItem(KEPT));
  return chosen;
}

/** The zone as `Intl` names it; nothing stands for the reader's own. */
export function chosenZone(): string | undefined {
  return current() === 'utc' ? 'UTC' : undefined;
}

/** The name of the reader's own zone: `Asia/Seoul`. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function chooseZone(zone: Zone): void {
  localStorage.setItem(KEPT, zone);
  chosen = zone;
  for (const one of listeners) one();
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useZone(): Zone {
  return useSyncExternalStore(listen, current);
}
