export const applications = {
  applications: {
    title: 'Applications',
    filter: 'Filter applications',
    changed: 'Changed',
    accounts: 'Accounts',
    empty: 'There is no application yet.',
    emptyCommand: 'Make one with a request:',
  },
};
