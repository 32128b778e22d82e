// Expressions with what they gave, as far as the run tells it.

import { expect, it } from 'vitest';
import { expressionsOf, valueAt, written } from './expressions';

const config = { refId: '1', type: 'wait', waitTime: '${parameters.seconds}', variables: [{ key: 'a', value: '${1 + 1}' }, { key: 'b', value: 'plain' }], comments: 'of ${nothing.of.that}' };
const context = {
  waitTime: 30, variables: [{ key: 'a', value: 2 }, { key: 'b', value: 'plain' }], comments: 'of ${nothing.of.that}',
  expressionEvaluationSummary: { 'nothing.of.that': [{ description: "'of' was asked of null", level: 'ERROR', timestamp: 7 }], 'elsewhere()': [{ description: 'no such function', level: 'ERROR' }] },
};

it('are found wherever they stand', () => expect(written(config).map((one) => one.path)).toEqual(['waitTime', 'variables[0].value', 'comments']));

it('have a value or an error', () =>
  expect(expressionsOf(config, context, true).map((one) => [one.path, one.value, one.errors])).toEqual([
    ['waitTime', '30', []],
    ['variables[0].value', '2', []],
    ['comments', undefined, ["'of' was asked of null"]],
    ['', undefined, ['no such function']],
  ]));

it('have neither before the stage begins, and errors also without the pipeline', () => {
  expect(expressionsOf(config, { waitTime: '${parameters.seconds}' }, false).every((one) => one.value === undefined)).toBe(true);
  expect(expressionsOf(undefined, context, true).map((one) => one.written)).toEqual(['nothing.of.that', 'elsewhere()']);
});

it('a place may be anything', () => {
  expect(valueAt({ a: [{ b: 1 }] }, 'a[0].b')).toBe(1);
  expect(valueAt({ a: 'x' }, 'a[0].b')).toBeUndefined();
});
