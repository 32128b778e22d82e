// Places in a document, in the validator's notation: `$.stages[1].payload['a b']`.

export type Path = (string | number)[];

/** A path as the validator writes it. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (/^[\p{L}\p{N}_-]+$/u.test(step)) return `${text}.${step}`;
    return `${text}['${step.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}']`;
  }, '$');
}

/** Reads a path; what cannot be read ends it, so that the nearest place that is known is found. */
export function readPath(text: string): Path {
  const path: Path = [];
  const step = /\.([\p{L}\p{N}_-]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]/uy;
  step.lastIndex = text.startsWith('$') ? 1 : 0;
  for (;;) {
    const found = step.exec(text);
    if (found === null) return path;
    const [, plain, item, quoted] = found;
    if (item !== undefined) path.push(Number(item));
    else path.push(plain ?? (quoted ?? '').replaceAll(/\\(.)/g, '$1'));
  }
}

/** Whether `inner` is `outer` or lies inside it. */
export function isWithin(outer: Path, inner: Path): boolean {
  return outer.length <= inner.length && outer.every((step, at) => step === inner[at]);
}

/** What stands at a place; undefined where there is nothing. */
export function valueAt(whole: unknown, path: Path): unknown {
  let value = whole;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** The document with another value at a place; undefined takes the place away. Everything else, and its order, stays as it is. */
export function withValue<T>(whole: T, path: Path, value: unknown): T {
  const [step, ...rest] = path;
  if (step === undefined) return value as T;
  if (typeof step === 'number') {
    const items = Array.isArray(whole) ? [...(whole as unknown[])] : [];
    if (rest.length === 0 && value === undefined) items.splice(step, 1);
    else items[step] = withValue(items[step], rest, value);
    return items as T;
  }
  const members: Record<string, unknown> = typeof whole === 'object' && whole !== null && !Array.isArray(whole) ? { ...whole } : {};
  if (rest.length === 0 && value === undefined) delete members[step];
  else members[step] = withValue(members[step], rest, value);
  return members as T;
}
