import type { activity as Original } from '../en/activity';
import { n } from './number';

export const activity: typeof Original = {
  activity: {
    empty: '아직 아무 일도 없었습니다. 실행, 작업, 저장, 저장소에서 한 일이 누가 했는지와 함께 여기에 나타납니다.',
    none: '이 필터에 맞는 것이 없습니다.',
    csv: 'CSV로 내려받기',
    time: '시각',
    who: '누가',
    what: '무엇을',
    object: '대상',
    objectHint: '이름 …',
    kind: '종류',
    result: '결과',
    from: '시작일',
    to: '종료일',
    everybody: '모든 사람',
    clear: '필터 지우기',
    only: (who) => `${who} 님이 한 일만 보기`,
    kinds: { run: '실행', task: '작업', repository: '저장소', save: '저장' },
    results: { well: '성공', failed: '실패', cancelled: '취소', running: '실행 중' },
    done: '완료',
    savedPipeline: (name) => `파이프라인 ${name} 저장`,
    savedApplication: '애플리케이션 저장',
    newer: '최신',
    older: '이전',
    page: (value, all) => `${n(all)}쪽 중 ${n(value)}쪽`,
    cut: (value, all) => `전체 ${n(all)}개 중 최근에 바뀐 애플리케이션 ${n(value)}개의 작업만 보입니다. 다른 애플리케이션의 작업은 그 애플리케이션의 작업 화면에 있습니다.`,
  },
};
