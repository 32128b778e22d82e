// The address of a load balancer as a link that opens it, where it is plainly one.

import { useTexts } from '../texts';
import { addressLink } from './address';
import { Draw } from './icons';

export function OpenLink({ address, word }: { address: string; word?: string }) {
  const t = useTexts();
  const link = addressLink(address, location.hostname);
  if (link === undefined) return null;
  return (
    <a className={word === undefined ? 'copy' : 'button'} href={link} target="_blank" rel="noreferrer noopener" title={t.balancers.open} aria-label={`${t.balancers.open}: ${address}`}>
      {word}
      <Draw what="open" />
    </a>
  );
}
