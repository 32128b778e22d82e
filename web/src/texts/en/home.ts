export const home = {
  home: {
    needsMe: 'Needs me',
    running: 'Running',
    broke: 'Broke in the last day',
    nothingNeeds: 'No judgment waits.',
    nothingRuns: 'Nothing is running.',
    nothingBroke: 'Nothing broke.',
    answer: 'Answer',
    first: 'Nothing is here yet. Make an application, and its clusters, load balancers and pipelines show up here.',
  },
};
