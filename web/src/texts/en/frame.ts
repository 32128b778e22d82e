export const frame = {
  name: 'Gennaker',
  rail: {
    home: 'Home',
    applications: 'Applications',
    repositories: 'Repositories',
    fold: 'Fold the rail',
    unfold: 'Unfold the rail',
    main: 'Main',
  },
  tabs: { clusters: 'Clusters', loadBalancers: 'Load balancers', pipelines: 'Pipelines', tasks: 'Tasks', of: (name: string) => `Parts of ${name}` },
  stream: {
    live: 'live',
    connecting: 'connecting',
    cut: 'cut',
    liveLong: 'What you see is live.',
    connectingLong: 'Opening the live stream.',
    cutSince: (when: string) => `The live stream is cut since ${when}. What is grey may be old; this page tries again by itself.`,
  },
  settings: {
    language: 'Language',
    theme: 'Theme',
    system: 'as the system',
    light: 'light',
    dark: 'dark',
  },
};
