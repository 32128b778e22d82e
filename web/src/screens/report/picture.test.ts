// The picture of a deployment: what it draws is what was measured.

import { describe, expect, it } from 'vitest';
import { readReport } from '../../api/report';
import { offset, timeTicks } from '../../parts/axis';
import { en } from '../../texts/en';
import { areaPath, decades, failuresBySecond, layersOf, linePath, marksOf, secondsOf, spanOf, ticks } from './picture';
import { latency } from './words';

const second = (at: number, requests: number, failures = 0) => ({ at, requests, failures, p50_us: 1000, p99_us: 9000 });
const report = readReport({
  startTime: 2000,
  steps: [
    { name: 'Deploy', startTime: 2000 },
    { name: 'Deploy in here', startTime: 2000, inside: true },
    { name: 'disableCluster', startTime: 4000, inside: true },
  ],
  loadBalancers: [{
    name: 'lb',
    groups: [
      { serverGroup: 'v1', role: 'new', seconds: [second(3000, 5), second(4000, 20)] },
      { serverGroup: 'v0', role: 'old', seconds: [second(1000, 10), second(2000, 12, 1), second(3000, 8)] },
    ],
    unserved: [{ at: 4000, requests: 2 }],
  }],
});
const [balancer] = report.balancers;
const seconds = secondsOf(spanOf(report.balancers, report.steps));

describe('the picture', () => {
  it('has every second once', () => expect(seconds).toEqual([1000, 2000, 3000, 4000]));

  it('stacks the new upon the old', () => {
    const layers = layersOf(balancer!.groups, seconds);
    expect(layers.map((layer) => [layer.group.name, layer.edges])).toEqual([
      ['v0', [[0, 10], [0, 12], [0, 8], [0, 0]]],
      ['v1', [[10, 10], [12, 12], [8, 13], [0, 20]]],
    ]);
  });

  it('draws a step a second', () =>
    expect(areaPath([[0, 1], [0, 2]], (at) => at * 10, (value) => 10 - value)).toBe('M0 9H10V8H20V10H10V10H0Z'));

  it('breaks a line where nothing was measured', () =>
    expect(linePath([1, 1, undefined, 2], (at) => at * 10, (value) => value)).toBe('M5 1L15 1M30 2H40'));

  it('counts a request that found no instance as failed', () => expect(failuresBySecond(balancer!, seconds)).toEqual([0, 1, 0, 2]));

  it('marks steps that begin together once, and leaves out words without room', () => {
    const marks = marksOf(report.steps, (at) => at / 10, 1000, 2);
    expect(marks.map((mark) => [mark.numbers, mark.text, mark.row, mark.words])).toEqual([
      [[1, 2], 'Deploy, Deploy in here', 0, true],
      [[3], 'disableCluster', 1, true],
    ]);
    expect(marksOf(report.steps, (at) => at / 100, 60, 1).map((mark) => mark.words)).toEqual([false, false]);
  });

  it('of nothing is empty', () => expect(secondsOf(spanOf([], []))).toHaveLength(1));
});

it('axes have round numbers', () => {
  expect(ticks(183, 4)).toEqual([0, 50, 100, 150, 200]);
  expect(ticks(0, 4)).toEqual([0, 1]);
  expect(decades([1791, 163_839])).toEqual([1000, 10_000, 100_000, 1_000_000]);
  expect(timeTicks({ from: 0, to: 60_000 }, 5000, 6)).toEqual([5000, 15_000, 25_000, 35_000, 45_000, 55_000].map((at) => at));
});

it('numbers are short', () => {
  expect([0, 850, 1791, 20_479, 1_234_567].map(latency)).toEqual(['–', '850 µs', '1.8 ms', '20 ms', '1.2 s']);
  expect([0, 7000, -5000, 64_000, 1400].map((ms) => offset(ms, en))).toEqual(['0s', '+7s', '−5s', '+1m 04s', '+1.4s']);
});
