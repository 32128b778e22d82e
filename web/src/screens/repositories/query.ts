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
