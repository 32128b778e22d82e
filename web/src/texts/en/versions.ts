export const versions = {
  versions: {
    title: 'Version',
    filter: 'Filter versions',
    none: 'Nothing that its trigger takes is published. It starts without a version.',
    without: 'without a version, as if nothing had been published',
    longAgo: 'long ago',
    brought: (who: string) => `brought by ${who}`,
    cut: 'Only the newest are listed.',
    heldBack: 'The server would not start it by itself:',
  },
};
