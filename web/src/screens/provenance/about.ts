// What can be asked about, as it stands in the address.

export const ABOUT = ['instance', 'serverGroup', 'image', 'package'] as const;

export type About = { [what in (typeof ABOUT)[number]]?: string };

/** The questions of an address; empty ones are none. */
export function asked(search: About): About {
  return Object.fromEntries(ABOUT.flatMap((what) => (search[what] === undefined || search[what] === '' ? [] : [[what, search[what]]])));
}
