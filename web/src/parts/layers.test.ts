import { describe, expect, it } from 'vitest';
import { layersOf, layout, pathOf, type NodeIn } from './layers';
import { neighbour } from './graph';

const SIZES = { width: 100, height: 50, gapX: 20, gapY: 10 };

/** `"b<a c"`: b comes after a and c. */
function graph(...lines: string[]): NodeIn[] {
  return lines.map((line) => {
    const [id = '', after = ''] = line.split('<');
    return { id, after: after.split(' ').filter((one) => one !== '') };
  });
}

describe('the layers of a graph', () => {
  it('put each node one behind the last that it needs', () => {
    const layers = layersOf(graph('join<left right', 'left<start', 'right<middle', 'middle<start', 'start'));
    expect(Object.fromEntries(layers)).toEqual({ start: 0, left: 1, middle: 1, right: 2, join: 3 });
  });

  it('survive a cycle, unknown needs and a chain of ten thousand', () => {
    expect(layersOf(graph('a<b', 'b<a', 'c<nobody')).size).toBe(3);
    const chain = Array.from({ length: 10_000 }, (_, at) => ({ id: String(at), after: at === 0 ? [] : [String(at - 1)] }));
    expect(layersOf(chain.reverse()).get('9999')).toBe(9999);
  });
});

describe('a layout', () => {
  it('draws a chain as a straight line from left to right', () => {
    const drawn = layout(graph('a', 'b<a', 'c<b'), SIZES);
    expect(drawn.places.map(({ id, x, y }) => ({ id, x, y }))).toEqual([
      { id: 'a', x: 0, y: 0 },
      { id: 'b', x: 120, y: 0 },
      { id: 'c', x: 240, y: 0 },
    ]);
    expect(drawn).toMatchObject({ width: 340, height: 50 });
    expect(drawn.wires.map((wire) => pathOf(wire.points))).toEqual(['M100 25H120', 'M220 25H240']);
  });

  it('puts a node before and behind a fork at its middle, and lets nothing overlap', () => {
    const drawn = layout(graph('start', 'x<start', 'y<start', 'z<start', 'end<x y z'), SIZES);
    const at = Object.fromEntries(drawn.places.map((place) => [place.id, place.y]));
    expect(at).toEqual({ start: 60, x: 0, y: 60, z: 120, end: 60 });
  });

  it('orders a layer so that edges do not cross where they need not', () => {
    // As written, both edges would cross.
    const drawn = layout(graph('a', 'b', 'p<b', 'q<a'), SIZES);
    const y = new Map(drawn.places.map((place) => [place.id, place.y]));
    expect(Math.sign((y.get('a') ?? 0) - (y.get('b') ?? 0))).toBe(Math.sign((y.get('q') ?? 0) - (y.get('p') ?? 0)));
  });

  it('leads an edge that jumps over a layer around the nodes in between', () => {
    const drawn = layout(graph('a', 'b<a', 'c<b a'), SIZES);
    const long = drawn.wires.find((wire) => wire.from === 'a' && wire.to === 'c');
    const b = drawn.places.find((place) => place.id === 'b');
    expect(long?.points).toHaveLength(4);
    expect(long?.points[1]?.y).not.toBe((b?.y ?? 0) + 25);
  });

  it('is empty for nothing', () => {
    expect(layout([], SIZES)).toEqual({ places: [], wires: [], width: 0, height: 0 });
  });

  it('is walked along its edges by the arrow keys', () => {
    const drawn = layout(graph('start', 'x<start', 'y<start', 'end<x y'), SIZES);
    expect(neighbour('ArrowRight', 'x', drawn)).toBe('end');
    expect(neighbour('ArrowLeft', 'y', drawn)).toBe('start');
    expect(neighbour('ArrowDown', 'x', drawn)).toBe('y');
    expect(neighbour('ArrowUp', 'y', drawn)).toBe('x');
    expect(neighbour('ArrowLeft', 'start', drawn)).toBeUndefined();
    expect(neighbour('Enter', 'start', drawn)).toBeUndefined();
  });
});
