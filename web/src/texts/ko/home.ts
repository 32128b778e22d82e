import type { home as Original } from '../en/home';

export const home: typeof Original = {
  home: {
    needsMe: '내가 할 일',
    running: '실행 중',
    broke: '지난 하루의 실패',
    nothingNeeds: '기다리는 판단이 없습니다.',
    nothingRuns: '실행 중인 것이 없습니다.',
    nothingBroke: '실패한 것이 없습니다.',
    answer: '답하기',
    first: '아직 아무것도 없습니다. 애플리케이션을 만들면 클러스터, 로드 밸런서, 파이프라인이 여기에 나타납니다.',
  },
};
