// Deleting a firewall: first what is behind it.

import type { Named } from '../../api/named';
import { JobDialog } from '../../parts/job-dialog';
import { useTexts } from '../../texts';
import type { Behind } from './draft';

export function DeleteFirewall({ application, firewall, behind, onClose }: { application: string; firewall: Named; behind: Behind[]; onClose: () => void }) {
  const t = useTexts();
  const asked = {
    application,
    description: `Delete firewall: ${firewall.name}`,
    job: { type: 'deleteSecurityGroup', credentials: firewall.account, region: firewall.region, securityGroupName: firewall.name },
  };
  return (
    <JobDialog title={t.firewalls.remove(firewall.name)} verb={t.wizards.delete} destroys asked={asked} problems={{}} onClose={onClose}>
      {() => (
        <div className="form-sum losing">
          {behind.length === 0 ? (
            <p>{t.firewalls.open}</p>
          ) : (
            <>
              <p>{t.firewalls.isBehind(behind.length)}</p>
              <ul>
                {behind.map((one) => (
                  <li key={`${one.kind} ${one.name}`}>
                    <bdi>{one.name}</bdi>
                  </li>
                ))}
              </ul>
              <p>{t.firewalls.refused}</p>
            </>
          )}
        </div>
      )}
    </JobDialog>
  );
}
