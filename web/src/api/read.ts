// Lenient readers of JSON: what is missing or of another kind becomes a plain default, so that one odd record never breaks a screen.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonMap = Record<string, unknown>;

export function map(value: unknown): JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonMap) : {};
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text; numbers and booleans are written out, anything else is the default. */
export function text(value: unknown, otherwise = ''): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return otherwise;
}

export function optText(value: unknown): string | undefined {
  const found = text(value);
  return found === '' ? undefined : found;
}

/** A finite number; digits in a text count too. */
export function optNumber(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  return undefined;
}

export function number(value: unknown, otherwise = 0): number {
  return optNumber(value) ?? otherwise;
}

export function flag(value: unknown): boolean {
  return value === true || value === 'true';
}

export function texts(value: unknown): string[] {
  return list(value).map((one) => text(one)).filter((one) => one !== '');
}
