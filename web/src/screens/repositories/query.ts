// What is typed over packages: a word that filters, or a query of aptly's language.

/** Fields and operators that queries are made of. */
export const WORDS = [
  'Name (= ',
  'Name (% ',
  'Name (~ ',
  '$Version (>= ',
  '$Version (<< ',
  '$Architecture (= ',
  '$Source (= ',
  '$PackageType (= deb)',
  '$PackageType (= source)',
  'Section (= ',
  'Priority (= ',
  'Maintainer (~ ',
  'Depends (~ ',
  'Provides (~ ',
];

/** Whether the server has to be asked: operators, comparisons or relations stand in it. */
export function isQuery(typed: string): boolean {
  return /[()|,!$&{}=~<>]/.test(typed) || /^[^\s_]+_[^\s_]+_[^\s_]+$/.test(typed);
}

/** What the server is asked for: the query as it is typed; a word where the page has not all packages; nothing where it has. */
export function askedOf(typed: string, whole: boolean): string | undefined {
  if (isQuery(typed)) return typed;
  const words = typed.trim().split(/\s+/).filter((word) => word !== '');
  return whole || words.length === 0 ? undefined : words.map(inNameOrVersion).join(', ');
}

function inNameOrVersion(word: string): string {
  // What a pattern would take for a sign of its own stands for any one letter.
  const pattern = `"*${word.replace(/["*?[\]\\]/g, '?')}*"`;
  return `(Name (% ${pattern}) | $Version (% ${pattern}))`;
}
