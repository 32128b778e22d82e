export const report = { report: { title: 'Deployment report' } };
