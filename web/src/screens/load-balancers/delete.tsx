// Deleting a load balancer: first what it carries.

import { upCount, type Balancer } from '../../api/inventory';
import { JobDialog } from '../../parts/job-dialog';
import { useTexts } from '../../texts';

export function DeleteBalancer({ application, balancer, onClose }: { application: string; balancer: Balancer; onClose: () => void }) {
  const t = useTexts();
  const up = balancer.groups.filter((group) => !group.disabled).reduce((sum, group) => sum + upCount(group.instances), 0);
  const asked = {
    application,
    description: `Delete load balancer: ${balancer.name}`,
    job: { type: 'deleteLoadBalancer', credentials: balancer.account, region: balancer.region, loadBalancerName: balancer.name },
  };
  return (
    <JobDialog title={t.newBalancer.remove(balancer.name)} verb={t.wizards.delete} destroys asked={asked} problems={{}} onClose={onClose}>
      {() => (
        <div className="form-sum losing">
          <p>{balancer.groups.length === 0 ? t.newBalancer.carriesNone : t.newBalancer.carries(balancer.groups.length, up)}</p>
          {balancer.groups.length > 0 && (
            <ul>
              {balancer.groups.map((group) => (
                <li key={group.name}>
                  <bdi>{group.name}</bdi> <span className="soft small">{t.clusters.upOf(upCount(group.instances), group.instances.length)}</span>
                </li>
              ))}
            </ul>
          )}
          <p>{t.newBalancer.losing(balancer.listeners.map((one) => one.address).join(', '))}</p>
          {balancer.groups.length > 0 && <p>{t.newBalancer.refused}</p>}
        </div>
      )}
    </JobDialog>
  );
}
