export const tasks = {
  tasks: {
    empty: 'No task has run on this application.',
    task: 'Task',
    steps: 'Steps',
    variables: 'Variables',
    failed: 'Why it failed',
  },
};
