export const home = {
  home: {
    needsMe: 'Needs me',
    running: 'Running',
    broke: 'Broke in the last day',
  },
};
