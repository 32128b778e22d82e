// The zone of the team, asked of the server once for all screens.

import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { settingsQuery } from '../api/accounts';
import { learnTeamZone } from '../parts/zone';

export function useTeamZone(): void {
  const zone = useQuery(settingsQuery()).data?.zone;
  useEffect(() => {
    if (zone !== undefined) learnTeamZone(zone);
  }, [zone]);
}
