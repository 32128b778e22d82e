import type { tasks as Original } from '../en/tasks';

export const tasks: typeof Original = {
  tasks: {
    empty: '이 애플리케이션에서 실행된 작업이 없습니다.',
    task: '작업',
    steps: '단계',
    variables: '변수',
    failed: '실패한 이유',
  },
};
