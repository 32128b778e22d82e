// What things of an account are called: a name is an account's and a region's own.

export interface Named {
  name: string;
  account: string;
  region: string;
}

/** Whether an address means a thing; it may leave out where that is. */
export function isMeant(by: { name: string | undefined; account?: string | undefined; region?: string | undefined }, one: Named): boolean {
  return one.name === by.name && (by.account ?? one.account) === one.account && (by.region ?? one.region) === one.region;
}
