import type { projects as Original } from '../en/projects';
import { n } from './number';

export const projects: typeof Original = {
  projects: {
    title: '프로젝트',
    filter: '프로젝트 필터',
    make: '프로젝트 만들기',
    editing: (name) => `${name} 편집`,
    empty: '아직 프로젝트가 없습니다. 프로젝트는 함께 속하는 애플리케이션, 클러스터, 파이프라인을 한 화면에 보여 줍니다.',
    applications: '애플리케이션',
    application: '애플리케이션',
    pipelines: '파이프라인',
    clusters: '클러스터',
    taken: '같은 이름의 프로젝트가 있습니다.',
    noPipelines: '고른 애플리케이션에 파이프라인이 없습니다.',
    noPipelinesShown: '이 프로젝트에는 표시할 파이프라인이 없습니다. 편집해서 고르세요.',
    noClusters: '이 프로젝트에는 표시할 클러스터가 없습니다. 편집해서 고르세요.',
    noApplications: '이 프로젝트에는 애플리케이션이 없습니다. 편집해서 고르세요.',
    addCluster: '클러스터 추가',
    removeCluster: (value) => `${n(value)}번째 줄 제거`,
    of: '대상',
    allApplications: '모든 애플리케이션',
    gone: '사라진 파이프라인',
    before: '이전 실행',
    nothingRuns: '실행 중인 것 없음',
    idle: (value) => `실행 중인 것이 없는 애플리케이션 ${n(value)}개:`,
    images: '트래픽을 받는 이미지',
    pushed: '마지막 배포',
    deleteSays: (applications, pipelines) => `프로젝트만 삭제됩니다. 애플리케이션 ${n(applications)}개와 파이프라인 ${n(pipelines)}개는 그대로 남습니다. gennaker project restore 명령으로 되찾을 수 있습니다.`,
  },
};
