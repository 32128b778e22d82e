import type { tasks as Original } from '../en/tasks';

export const tasks: typeof Original = {
  tasks: {
    empty: '이 애플리케이션에서 실행된 작업이 없습니다.',
    variables: '변수',
  },
};
