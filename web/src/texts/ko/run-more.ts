import type { runMore as Original } from '../en/run-more';

export const runMore: typeof Original = { runMore: { pause: '일시 정지' } };
