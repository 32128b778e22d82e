// What can be asked about, as it stands in the address.

export const ABOUT = ['instance', 'serverGroup', 'image', 'package'] as const;

/** A server group may have namesakes in other accounts. */
export type About = { [what in (typeof ABOUT)[number] | 'account']?: string };

/** The questions of an address; empty ones are none. */
export function asked(search: About): About {
  const given = (what: keyof About) => (search[what] === undefined || search[what] === '' ? [] : [[what, search[what]]]);
  return Object.fromEntries([...ABOUT.flatMap(given), ...(search.serverGroup === undefined ? [] : given('account'))]);
}
