import { describe, expect, it } from 'vitest';
import { act, begin, isChanged, textOf, type Edits } from './edits';
import { addStage, connect, copyStage, disconnect, emptyPipeline, freeName, mayConnect, moveEntry, pretty, removeStage, restOf, stagesOf, takenFrom, withRest, type Doc } from './model';
import { isWithin, pathText, readPath, valueAt, withValue } from './paths';

const line: Doc = {
  zebra: { kept: true },
  name: 'p',
  stages: [
    { refId: '1', type: 'wait', name: 'a', requisiteStageRefIds: [], odd: [1] },
    { type: 'manualJudgment', refId: '2', name: 'b', requisiteStageRefIds: ['1'] },
    { type: 'wait', refId: '3', name: 'c', requisiteStageRefIds: ['2'] },
  ],
  apple: 1,
};
const shape = (doc: Doc) => stagesOf(doc).map((stage) => `${stage.refId}<${stage.after.join('+')}`);

describe('the operations', () => {
  it('add a stage behind others and keep everything else', () => {
    const { doc, refId } = addStage(line, { type: 'wait', name: 'd', waitTime: 30 }, ['3']);
    expect(refId).toBe('4');
    expect(shape(doc)).toEqual(['1<', '2<1', '3<2', '4<3']);
    expect(Object.keys(doc)).toEqual(Object.keys(line));
    expect(JSON.stringify(stagesOf(doc)[3]?.config)).toBe('{"type":"wait","name":"d","refId":"4","requisiteStageRefIds":["3"],"waitTime":30}');
    expect(doc.zebra).toBe(line.zebra);
  });

  it('take a stage away and close the gap', () => {
    expect(shape(removeStage(line, '2'))).toEqual(['1<', '3<1']);
    expect(JSON.stringify(stagesOf(removeStage(line, '2'))[0]?.config)).toBe(JSON.stringify(stagesOf(line)[0]?.config));
    expect(removeStage(line, 'nobody')).toBe(line);
  });

  it('copy a stage beside itself under a name of its own', () => {
    const copied = copyStage(line, '2', 'b copy');
    expect(copied && shape(copied.doc)).toEqual(['1<', '2<1', '3<2', '4<1']);
    expect(copied && copyStage(copied.doc, '2', 'b copy')?.doc.stages).toMatchObject([{}, {}, {}, { name: 'b copy' }, { name: 'b copy 2' }]);
    expect(freeName(line, 'a')).toBe('a 2');
  });

  it('connect and disconnect, but make no circle', () => {
    expect(shape(connect(line, '1', '3'))).toEqual(['1<', '2<1', '3<2+1']);
    expect(mayConnect(line, '3', '1')).toBe(false);
    expect(connect(line, '3', '1')).toBe(line);
    expect(connect(line, '1', '1')).toBe(line);
    expect(shape(disconnect(line, '1', '2'))).toEqual(['1<', '2<', '3<2']);
  });

  it('write the references out where the engine chains the stages', () => {
    const chained = { stages: [{ type: 'wait' }, { type: 'wait' }] };
    expect(shape(chained)).toEqual(['1<', '2<1']);
    expect(shape(addStage(chained, { type: 'noop', name: 'n' }, ['2']).doc)).toEqual(['1<', '2<1', '3<2']);
  });

  it('move entries and stay within the list', () => {
    expect(shape(moveEntry(line, 'stages', 0, 1))).toEqual(['2<1', '1<', '3<2']);
    expect(moveEntry(line, 'stages', 2, 1)).toBe(line);
  });

  it('change what no form knows and keep the rest in its place', () => {
    const known = new Set(['type', 'name']);
    const whole = { type: 'wait', odd: 1, name: 'a', gone: 2 };
    expect(restOf(whole, known)).toEqual({ odd: 1, gone: 2 });
    expect(JSON.stringify(withRest(whole, known, { odd: 3, more: [] }))).toBe('{"type":"wait","odd":3,"name":"a","more":[]}');
    expect(withRest(whole, known, { name: 'b' })).toEqual({ type: 'wait', name: 'b' });
  });

  it('survive documents that are no pipelines', () => {
    for (const doc of [{}, { stages: 7 }, { stages: [null, 'x', { refId: 3 }] }] as Doc[]) {
      expect(() => stagesOf(addStage(removeStage(doc, '1'), { type: 'wait', name: 'w' }, []).doc)).not.toThrow();
    }
  });

  it('take an older version with the present stamps', () => {
    expect(takenFrom({ name: 'old', id: 'x', updateTs: '1', revision: 4 }, { name: 'new', id: 'x', updateTs: '9' })).toEqual({ name: 'old', id: 'x', updateTs: '9' });
  });
});

describe('paths', () => {
  it('are written and read as the validator does', () => {
    for (const text of ['$', '$.stages[1].waitTime', "$.a['b c'].d", "$['it\\'s'][0]"]) expect(pathText(readPath(text))).toBe(text);
    expect(readPath('$.stages[1].x(')).toEqual(['stages', 1, 'x']);
    expect(isWithin(['stages', 1], ['stages', 1, 'x'])).toBe(true);
    expect(isWithin(['stages', 1], ['stages', 10])).toBe(false);
  });

  it('change one place only', () => {
    const doc = { a: { b: [1, { c: 2 }] }, z: 1 };
    expect(withValue(doc, ['a', 'b', 1, 'c'], 3)).toEqual({ a: { b: [1, { c: 3 }] }, z: 1 });
    expect(withValue(doc, ['a', 'b', 0], undefined)).toEqual({ a: { b: [{ c: 2 }] }, z: 1 });
    expect(withValue(doc, ['a'], undefined)).toEqual({ z: 1 });
    expect(withValue(doc, ['n', 'm'], 1)).toEqual({ ...doc, n: { m: 1 } });
    expect(valueAt(doc, ['a', 'b', 1, 'c'])).toBe(2);
    expect(valueAt(doc, ['a', 'x', 1])).toBe(undefined);
  });
});

describe('the steps', () => {
  const set = (state: Edits, name: string, at: number, what?: string) => act(state, { do: 'set', doc: { ...state.doc, name }, what, at });

  it('are undone and done again', () => {
    let state = set(set(begin(emptyPipeline('shop'), undefined), 'a', 0), 'b', 1);
    state = act(state, { do: 'undo' });
    expect(state.doc.name).toBe('a');
    state = act(state, { do: 'redo' });
    expect(state.doc.name).toBe('b');
    expect(act(set(act(state, { do: 'undo' }), 'c', 2), { do: 'redo' }).doc.name).toBe('c');
  });

  it('join while one field is typed, and not after a pause', () => {
    let state = begin({ name: '' }, { name: '' });
    state = set(set(set(state, 'a', 0, 'name'), 'ab', 100, 'name'), 'abc', 9000, 'name');
    expect(state.past.map((doc) => doc.name)).toEqual(['', 'ab']);
  });

  it('keep an unreadable text apart from the document', () => {
    let state = begin(line, line);
    state = act(state, { do: 'type', text: '{"name": ', at: 0 });
    expect([state.doc, state.error?.what, isChanged(state)]).toEqual([line, 'value', true]);
    expect(textOf(act(state, { do: 'undo' }))).toBe(pretty(line));
    state = act(state, { do: 'type', text: '{"name":\n"q"}', at: 10 });
    expect([state.doc, textOf(state), state.error]).toEqual([{ name: 'q' }, '{"name":\n"q"}', undefined]);
    expect(textOf(set(state, 'r', 20))).toBe('{\n  "name": "r"\n}');
    expect(act(state, { do: 'type', text: '[]', at: 1 }).error?.what).toBe('object');
  });

  it('know whether something would be lost', () => {
    const state = set(begin(line, line), 'other', 0);
    expect([isChanged(begin(line, line)), isChanged(state), isChanged(set(state, 'p', 1)), isChanged(act(state, { do: 'saved', doc: state.doc }))]).toEqual([false, true, false, false]);
    expect(isChanged(begin(emptyPipeline('shop'), undefined))).toBe(false);
  });
});
