import type { balancers as Original } from '../en/balancers';
import { n } from './number';

export const balancers: typeof Original = {
  balancers: {
    empty: '아직 로드 밸런서가 없습니다.',
    address: '주소',
    check: '상태 확인',
    members: '구성원',
    noMembers: '등록된 서버 그룹이 없습니다. 요청에는 503으로 답합니다.',
    everySeconds: (s) => `${n(s)}초마다`,
    withinSeconds: (s) => `${n(s)}초 안에`,
    rise: (value) => `${n(value)}번 성공하면 정상`,
    fall: (value) => `${n(value)}번 실패하면 다운`,
    carrying: (value) => `구성원 ${n(value)}개가 트래픽을 받습니다`,
    noCheck: '상태 확인 없음',
    open: '주소 열기',
  },
};
