// Numbers of a report as people read them: pure.

/** Microseconds: `850 µs`, `1.8 ms`, `20 ms`, `1.2 s`. */
export function latency(us: number): string {
  if (us <= 0) return '–';
  if (us < 1000) return `${us} µs`;
  if (us < 10_000) return `${(us / 1000).toFixed(1)} ms`;
  if (us < 1_000_000) return `${Math.round(us / 1000)} ms`;
  return `${(us / 1_000_000).toFixed(1)} s`;
}
