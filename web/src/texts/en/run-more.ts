export const runMore = { runMore: { pause: 'Pause' } };
