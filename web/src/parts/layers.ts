// Places the nodes of a directed graph in layers from left to right, with few crossings: pure, used by graph.tsx.
//
// Longest path gives the layers; edges that jump over layers get a way-point in each; the order within layers comes from
// sweeps by the mean of the neighbours; rows are then pulled towards their neighbours without overlapping.

export interface NodeIn {
  id: string;
  /** Ids of the nodes that come before. Unknown ids and cycles are tolerated. */
  after: string[];
}

export interface Place {
  id: string;
  layer: number;
  x: number;
  y: number;
}

export interface Wire {
  from: string;
  to: string;
  /** From the right edge of `from` to the left edge of `to`, through the way-points. */
  points: { x: number; y: number }[];
}

export interface Drawn {
  places: Place[];
  wires: Wire[];
  width: number;
  height: number;
}

export interface Sizes {
  width: number;
  height: number;
  gapX: number;
  gapY: number;
}

interface Spot {
  id: string;
  layer: number;
  real: boolean;
  before: Spot[];
  behind: Spot[];
  row: number;
}

const SWEEPS = 12;

/** The layer of each node: one more than the largest before it. An edge that would close a cycle is left out. */
export function layersOf(nodes: NodeIn[]): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const layers = new Map<string, number>();
  const open = new Set<string>();
  // An explicit stack: a chain of thousands of stages must not end in a stack overflow.
  for (const start of nodes) {
    const stack: { id: string; seen: boolean }[] = [{ id: start.id, seen: false }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (top.seen) {
        open.delete(top.id);
        const before = (byId.get(top.id)?.after ?? []).map((id) => layers.get(id) ?? -1);
        layers.set(top.id, Math.max(-1, ...before) + 1);
        continue;
      }
      if (layers.has(top.id) || open.has(top.id)) continue;
      open.add(top.id);
      stack.push({ id: top.id, seen: true });
      for (const id of byId.get(top.id)?.after ?? []) {
        if (byId.has(id) && !layers.has(id) && !open.has(id)) stack.push({ id, seen: false });
      }
    }
  }
  return layers;
}

function spotsOf(nodes: NodeIn[], layers: Map<string, number>): { spots: Map<string, Spot>; chains: Map<string, Spot[]> } {
  const spots = new Map<string, Spot>();
  const put = (id: string, layer: number, real: boolean): Spot => {
    const spot: Spot = { id, layer, real, before: [], behind: [], row: 0 };
    spots.set(id, spot);
    return spot;
  };
  for (const node of nodes) put(node.id, layers.get(node.id) ?? 0, true);
  const chains = new Map<string, Spot[]>();
  for (const node of nodes) {
    for (const id of new Set(node.after)) {
      const from = spots.get(id);
      const to = spots.get(node.id);
      if (from === undefined || to === undefined || !from.real || from.layer >= to.layer) continue;
      const chain = [from];
      for (let layer = from.layer + 1; layer < to.layer; layer++) chain.push(put(`${id}\n${node.id}\n${layer}`, layer, false));
      chain.push(to);
      chain.slice(1).forEach((spot, at) => {
        const left = chain[at];
        if (left === undefined) return;
        left.behind.push(spot);
        spot.before.push(left);
      });
      chains.set(`${id}\n${node.id}`, chain);
    }
  }
  return { spots, chains };
}

function columnsOf(spots: Iterable<Spot>): Spot[][] {
  const columns: Spot[][] = [];
  for (const spot of spots) (columns[spot.layer] ??= []).push(spot);
  const full = Array.from(columns, (column) => column ?? []);
  for (const column of full) column.forEach((spot, at) => (spot.row = at));
  return full;
}

function mean(spots: Spot[]): number {
  return spots.reduce((sum, spot) => sum + spot.row, 0) / spots.length;
}

function crossings(columns: Spot[][]): number {
  let count = 0;
  for (const column of columns) {
    const edges = column.flatMap((spot) => spot.behind.map((to) => [spot.row, to.row] as const));
    for (let a = 0; a < edges.length; a++) {
      for (let b = a + 1; b < edges.length; b++) {
        const [p, q] = [edges[a], edges[b]];
        if (p !== undefined && q !== undefined && (p[0] - q[0]) * (p[1] - q[1]) < 0) count++;
      }
    }
  }
  return count;
}

/** Orders each column by the mean row of its neighbours, forth and back, and keeps the best order that was seen. */
function untangle(columns: Spot[][]): void {
  let best = crossings(columns);
  let kept = columns.map((column) => [...column]);
  for (let sweep = 0; sweep < SWEEPS && best > 0; sweep++) {
    const forth = sweep % 2 === 0;
    for (const column of forth ? columns : [...columns].reverse()) {
      const weight = new Map(column.map((spot) => [spot, neighboursMean(spot, forth)]));
      column.sort((a, b) => (weight.get(a) ?? a.row) - (weight.get(b) ?? b.row) || a.row - b.row);
      column.forEach((spot, at) => (spot.row = at));
    }
    const now = crossings(columns);
    if (now < best) {
      best = now;
      kept = columns.map((column) => [...column]);
    }
  }
  kept.forEach((column, at) => {
    columns[at] = column;
    column.forEach((spot, row) => (spot.row = row));
  });
}

function neighboursMean(spot: Spot, forth: boolean): number {
  const near = forth ? spot.before : spot.behind;
  return near.length === 0 ? spot.row : mean(near);
}

/** Turns ranks into rows: each spot wants the mean of its neighbours, none comes nearer than one row to the one above. */
function settle(columns: Spot[][]): void {
  for (let pass = 0; pass < 8; pass++) {
    const forth = pass % 2 === 0;
    for (const column of forth ? columns : [...columns].reverse()) {
      const wanted = column.map((spot) => neighboursMean(spot, forth));
      const rows = spread(wanted);
      column.forEach((spot, at) => (spot.row = rows[at] ?? spot.row));
    }
  }
  const lowest = Math.min(0, ...columns.flat().map((spot) => spot.row));
  for (const spot of columns.flat()) spot.row -= lowest;
}

/** The rows nearest to the wanted ones with a distance of at least one: neighbours that would overlap move as one block. */
function spread(wanted: number[]): number[] {
  const blocks: { sum: number; size: number }[] = [];
  wanted.forEach((want, at) => {
    blocks.push({ sum: want - at, size: 1 });
    for (;;) {
      const last = blocks[blocks.length - 1];
      const above = blocks[blocks.length - 2];
      if (last === undefined || above === undefined || above.sum / above.size <= last.sum / last.size) break;
      above.sum += last.sum;
      above.size += last.size;
      blocks.pop();
    }
  });
  return blocks.flatMap((block) => Array.from({ length: block.size }, () => block.sum / block.size)).map((base, at) => base + at);
}

/** Places the nodes and routes the edges. */
export function layout(nodes: NodeIn[], sizes: Sizes): Drawn {
  const layers = layersOf(nodes);
  const { spots, chains } = spotsOf(nodes, layers);
  const columns = columnsOf(spots.values());
  untangle(columns);
  settle(columns);
  const x = (spot: Spot) => spot.layer * (sizes.width + sizes.gapX);
  const y = (spot: Spot) => Math.round(spot.row * (sizes.height + sizes.gapY));
  const places = nodes.flatMap((node) => {
    const spot = spots.get(node.id);
    return spot === undefined ? [] : [{ id: node.id, layer: spot.layer, x: x(spot), y: y(spot) }];
  });
  const wires = [...chains.entries()].map(([key, chain]): Wire => {
    const [from = '', to = ''] = key.split('\n');
    const points = chain.flatMap((spot, at) => {
      const middle = y(spot) + sizes.height / 2;
      if (at === 0) return [{ x: x(spot) + sizes.width, y: middle }];
      if (at === chain.length - 1) return [{ x: x(spot), y: middle }];
      return [
        { x: x(spot), y: middle },
        { x: x(spot) + sizes.width, y: middle },
      ];
    });
    return { from, to, points };
  });
  return {
    places,
    wires,
    width: Math.max(0, ...places.map((place) => place.x + sizes.width)),
    height: Math.max(0, ...[...spots.values()].map((spot) => y(spot) + sizes.height)),
  };
}

/** An SVG path through the points: level lines, and an S between those of different height. */
export function pathOf(points: { x: number; y: number }[]): string {
  return points
    .map((point, at) => {
      const last = points[at - 1];
      if (last === undefined) return `M${point.x} ${point.y}`;
      if (last.y === point.y) return `H${point.x}`;
      const half = (last.x + point.x) / 2;
      return `C${half} ${last.y} ${half} ${point.y} ${point.x} ${point.y}`;
    })
    .join('');
}
