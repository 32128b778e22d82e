import type { applications as Original } from '../en/applications';

export const applications: typeof Original = {
  applications: {
    title: '애플리케이션',
    filter: '애플리케이션 필터',
    changed: '변경',
    accounts: '계정',
    empty: '아직 애플리케이션이 없습니다.',
    emptyCommand: '요청 하나로 만들 수 있습니다:',
  },
};
