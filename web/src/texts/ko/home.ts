import type { home as Original } from '../en/home';

export const home: typeof Original = {
  home: {
    needsMe: '내가 할 일',
    running: '실행 중',
    broke: '지난 하루의 실패',
  },
};
