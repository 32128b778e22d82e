import type { report as Original } from '../en/report';

export const report: typeof Original = { report: { title: '배포 보고서' } };
