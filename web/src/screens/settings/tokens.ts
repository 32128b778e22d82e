// What is said of tokens before one is made or revoked. Pure.

import type { Token } from '../../api/tokens';
import { wordOf } from '../../parts/word';
import type { Texts } from '../../texts/en';

const LONGEST = 64;

/** What is wrong with the name of a new token; undefined for nothing. The name is trimmed. */
export function wrongName(name: string, tokens: Token[], t: Texts): string | undefined {
  const { length } = [...name];
  // A path of dots would be another address.
  if (length < 1 || length > LONGEST || /[\p{Cc}/]|^\.{1,2}$/u.test(name)) return t.tokens.badName;
  return tokens.some((one) => one.name === name) ? t.tokens.taken : undefined;
}

/** What the bearer may, in words; nothing of a role that this page does not know. */
export function may({ role, application, publication, repository }: Pick<Token, 'role' | 'application'> & Partial<Pick<Token, 'publication' | 'repository'>>, t: Texts): string | undefined {
  if (publication !== undefined) return t.tokens.mayRead;
  if (repository !== undefined) return role === 'viewer' ? undefined : t.tokens.mayUpload;
  return wordOf<string>(application === undefined ? t.tokens.roles : t.tokens.rolesOfOne, role);
}

/** What revoking one of the tokens means, beyond that its bearer is turned away. `me`: as whom this page came in. */
export function afterwards(name: string, tokens: Token[], me: string | undefined, t: Texts): string | undefined {
  if (tokens.every((one) => one.name === name)) return t.tokens.revokeLast;
  return name === me ? t.tokens.revokeOwn : undefined;
}
