export const tasks = {
  tasks: {
    empty: 'No task has run on this application.',
    variables: 'Variables',
  },
};
