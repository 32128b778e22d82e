export const applications = {
  applications: {
    title: 'Applications',
    filter: 'Filter applications',
    pipelines: 'Pipelines',
    groups: 'Server groups',
    instances: 'Instances',
    changed: 'Changed',
    accounts: 'Accounts',
    empty: 'There is no application yet.',
    emptyCommand: 'Make one with a request:',
  },
};
