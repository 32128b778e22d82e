// How each role in a deployment is drawn: by colour and by pattern, never by colour alone.

export function fillOf(role: string): string {
  switch (role) {
    case 'new':
      return 'var(--accent)';
    case 'canary':
      return 'url(#pic-canary)';
    case 'baseline':
      return 'url(#pic-baseline)';
    case 'old':
      return 'url(#pic-old)';
    default:
      return 'var(--line-strong)';
  }
}

export function lineOf(role: string): string {
  switch (role) {
    case 'new':
      return 'var(--accent)';
    case 'canary':
      return 'var(--judgment)';
    case 'baseline':
      return 'var(--waiting)';
    default:
      return 'var(--ink-faint)';
  }
}

/** The patterns, once in a picture: slanted lines for the old, dots for the baseline, crossed lines for the canary. */
export function Patterns() {
  return (
    <defs>
      <pattern id="pic-old" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" className="pic-old-ground" />
        <rect width="2" height="6" className="pic-old-line" />
      </pattern>
      <pattern id="pic-baseline" width="6" height="6" patternUnits="userSpaceOnUse">
        <rect width="6" height="6" className="pic-baseline-ground" />
        <circle cx="3" cy="3" r="1.4" className="pic-baseline-line" />
      </pattern>
      <pattern id="pic-canary" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="7" height="7" className="pic-canary-ground" />
        <path d="M0 3.5H7M3.5 0V7" className="pic-canary-line" />
      </pattern>
    </defs>
  );
}

export function Swatch({ role }: { role: string }) {
  return (
    <svg className="report-swatch" width="18" height="12" aria-hidden="true" focusable="false">
      <rect width="18" height="12" rx="2" fill={fillOf(role)} />
    </svg>
  );
}
