import type { palette as Original } from '../en/palette';
import { n } from './number';

export const palette: typeof Original = {
  palette: {
    open: '검색',
    title: '검색과 명령',
    hint: '애플리케이션, 파이프라인, 패키지, 실행 검색 …',
    results: '결과',
    none: '이 이름을 가진 것이 없습니다.',
    failed: '서버가 검색에 응답하지 않았습니다. 이 화면에서 아는 것만 보입니다.',
    more: (value) => `${n(value)}개 더 있음: 더 입력하면 찾을 수 있습니다`,
    found: (value) => `결과 ${n(value)}개`,
    keys: { move: '선택', go: '이동', close: '닫기' },
    groups: {
      recent: '최근',
      applications: '애플리케이션',
      pipelines: '파이프라인',
      serverGroups: '서버 그룹',
      loadBalancers: '로드 밸런서',
      instances: '인스턴스',
      packages: '패키지',
      runs: '실행',
      projects: '프로젝트',
      screens: '화면',
      actions: '동작',
    },
    history: '활동 내역',
    newProject: '프로젝트 만들기',
    edit: (name) => `${name} 편집`,
    theme: '테마 바꾸기',
    language: '언어 바꾸기',
    zone: '정확한 시각의 시간대 바꾸기',
    copy: '이 화면의 주소 복사',
  },
};
