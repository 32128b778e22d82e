// Reads JSON and remembers where each value stands, so that a problem can be shown in the text; where it cannot be read, it says where and why.

import { pathText, type Path } from './paths';

export interface JsonError {
  line: number;
  column: number;
  offset: number;
  what: 'value' | 'string' | 'escape' | 'key' | 'colon' | 'commaOrBracket' | 'commaOrBrace' | 'trailingComma' | 'end' | 'deep' | 'object' | 'twice';
}

export interface Span {
  from: number;
  to: number;
}

export type ReadJson = { ok: true; value: unknown; places: Map<string, Span> } | { ok: false; error: JsonError };

const DEEPEST = 200;

class Wrong extends Error {
  constructor(
    readonly what: JsonError['what'],
    readonly at: number,
  ) {
    super(what);
  }
}

/** Line and column of an offset, both counted from 1. */
export function lineOf(source: string, offset: number): { line: number; column: number } {
  const before = source.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

export function parseJson(source: string): ReadJson {
  const reader = new Reader(source);
  try {
    const value = reader.value([]);
    reader.blank();
    if (reader.at < source.length) throw new Wrong('end', reader.at);
    return { ok: true, value, places: reader.places };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { ok: false, error: { ...lineOf(source, error.at), offset: error.at, what: error.what } };
  }
}

class Reader {
  at = 0;
  places = new Map<string, Span>();

  constructor(private readonly source: string) {}

  blank(): void {
    while (' \t\r\n'.includes(this.source[this.at] ?? 'x')) this.at++;
  }

  value(path: Path): unknown {
    if (path.length > DEEPEST) throw new Wrong('deep', this.at);
    this.blank();
    const from = this.at;
    const value = this.bare(path);
    this.places.set(pathText(path), { from, to: this.at });
    return value;
  }

  private bare(path: Path): unknown {
    const sign = this.source[this.at];
    if (sign === '{') return this.members(path);
    if (sign === '[') return this.items(path);
    if (sign === '"') return this.string('string');
    const word = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    word.lastIndex = this.at;
    const found = word.exec(this.source)?.[0];
    if (found === undefined) throw new Wrong('value', this.at);
    this.at += found.length;
    if (/[\w.]/.test(this.source[this.at] ?? '')) throw new Wrong('value', this.at - found.length);
    return JSON.parse(found) as unknown;
  }

  private string(what: 'string' | 'key'): string {
    const from = this.at;
    this.at++;
    for (;;) {
      const sign = this.source[this.at];
      if (sign === undefined || sign === '\n') throw new Wrong(what, from);
      this.at += sign === '\\' ? 2 : 1;
      if (sign === '"') break;
    }
    try {
      return JSON.parse(this.source.slice(from, this.at)) as string;
    } catch {
      throw new Wrong('escape', from);
    }
  }

  private items(path: Path): unknown[] {
    const items: unknown[] = [];
    this.at++;
    this.blank();
    if (this.takes(']')) return items;
    for (;;) {
      items.push(this.value([...path, items.length]));
      this.blank();
      if (this.takes(']')) return items;
      this.comma('commaOrBracket', ']');
    }
  }

  private members(path: Path): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    this.at++;
    this.blank();
    if (this.takes('}')) return members;
    for (;;) {
      this.blank();
      if (this.source[this.at] !== '"') throw new Wrong('key', this.at);
      const from = this.at;
      const key = this.string('key');
      if (Object.hasOwn(members, key)) throw new Wrong('twice', from);
      this.blank();
      if (!this.takes(':')) throw new Wrong('colon', this.at);
      const value = this.value([...path, key]);
      Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true });
      this.blank();
      if (this.takes('}')) return members;
      this.comma('commaOrBrace', '}');
    }
  }

  private comma(what: 'commaOrBracket' | 'commaOrBrace', end: string): void {
    const here = this.at;
    if (!this.takes(',')) throw new Wrong(what, here);
    this.blank();
    if (this.source[this.at] === end) throw new Wrong('trailingComma', here);
  }

  private takes(sign: string): boolean {
    if (this.source[this.at] !== sign) return false;
    this.at++;
    return true;
  }
}
