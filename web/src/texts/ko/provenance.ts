import type { provenance as Original } from '../en/provenance';
import { n } from './number';

export const provenance: typeof Original = {
  provenance: {
    title: '출처',
    trace: '출처 보기',
    says: '실행 중인 것이 어디에서 왔고 패키지가 어디에서 쓰이는지 보여 줍니다. 각 항목을 누르면 그 항목의 출처를 볼 수 있습니다.',
    empty: '알려진 것이 없습니다. 여기서 구운 이미지와 서버 그룹은 저절로 나타납니다.',
    about: { instance: '인스턴스', serverGroup: '서버 그룹', image: '이미지', package: '패키지' },
    everything: '전체 보기',
    packages: '패키지',
    image: '이미지',
    groups: '서버 그룹',
    folder: '구운 이미지가 아니라 이 서버의 폴더입니다.',
    made: '만든 때:',
    on: (base, builder) => `기반 ${base}, 도구 ${builder}`,
    startedBy: (who, trigger) => `${who}이(가) 시작 (${trigger})`,
    into: (repository, who) => `${repository}에 추가 (${who}),`,
    noUpload: '누가 올렸는지는 더 이상 알 수 없습니다.',
    published: '게시된 곳:',
    nowhere: '실행하는 곳이 없습니다.',
    cut: (value) => `최근 ${n(value)}개를 보여 줍니다.`,
  },
};
