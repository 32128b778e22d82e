// Where something is created: the account and its region.

import type { Account } from '../api/accounts';
import { Choice } from './form';
import { useTexts } from '../texts';

export interface At {
  account: string;
  region: string;
}

/** The first account's first region: where a new thing stands until somebody says otherwise. */
export function firstPlace(accounts: Account[]): At {
  return { account: accounts[0]?.name ?? '', region: accounts[0]?.regions[0]?.name ?? '' };
}

export function zonesOf(accounts: Account[], at: At): string[] {
  return accounts.find((one) => one.name === at.account)?.regions.find((one) => one.name === at.region)?.zones ?? [];
}

export function Place({ accounts, at, onChange }: { accounts: Account[]; at: At; onChange: (at: At) => void }) {
  const t = useTexts();
  const regionsOf = (name: string) => accounts.find((one) => one.name === name)?.regions.map((one) => one.name) ?? [];
  const options = (names: string[]) => names.map((name) => ({ value: name, word: name }));
  return (
    <>
      <Choice label={t.wizards.account} value={at.account} options={options(accounts.map((one) => one.name))} onChange={(account) => onChange({ account, region: regionsOf(account)[0] ?? '' })} />
      <Choice label={t.wizards.region} value={at.region} options={options(regionsOf(at.account))} onChange={(region) => onChange({ ...at, region })} />
    </>
  );
}
