import type { versions as Original } from '../en/versions';

export const versions: typeof Original = {
  versions: {
    title: '버전',
    filter: '버전 필터',
    none: '트리거에 맞는 게시된 버전이 없습니다. 버전 없이 시작합니다.',
    without: '버전 없이 시작(아무것도 게시되지 않은 것처럼)',
    longAgo: '오래전',
    brought: (who) => `올린 사람: ${who}`,
    cut: '최근 버전만 보입니다.',
    heldBack: '서버가 스스로 시작하지 않는 버전입니다:',
  },
};
