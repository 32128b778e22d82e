import type { frame as Original } from '../en/frame';

export const frame: typeof Original = {
  name: 'Gennaker',
  rail: {
    home: '홈',
    applications: '애플리케이션',
    projects: '프로젝트',
    repositories: '저장소',
    provenance: '출처',
    activity: '활동',
    settings: '설정',
    fold: '메뉴 접기',
    unfold: '메뉴 펼치기',
    main: '주 메뉴',
  },
  tabs: { clusters: '클러스터', loadBalancers: '로드 밸런서', pipelines: '파이프라인', tasks: '작업', config: '구성', of: (name) => `${name}의 화면` },
  stream: {
    live: '실시간',
    connecting: '연결 중',
    cut: '끊김',
    liveLong: '지금 보이는 것은 실시간입니다.',
    connectingLong: '실시간 스트림을 여는 중입니다.',
    cutSince: (when) => `실시간 스트림이 ${when}부터 끊겼습니다. 회색으로 보이는 것은 오래된 것일 수 있습니다. 자동으로 다시 연결합니다.`,
  },
  settings: { language: '언어', theme: '테마', system: '시스템 설정', light: '밝게', dark: '어둡게' },
};
