// Every drawing of the page: 16×16, in the colour of the text around them. Status shapes differ in outline, not only in colour.

import type { ReactNode } from 'react';
import type { Tone } from './status';
import './mark.css';

function Icon({ children, turning }: { children: ReactNode; turning?: boolean }) {
  return (
    <svg className={turning ? 'icon turning' : 'icon'} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const line = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.5, strokeLinecap: 'round', strokeLinejoin: 'round' } as const;

/** The shape of a state: ring, clock, hand, disc, square, triangle, barred square, dash, dotted disc. */
export function Shape({ tone }: { tone: Tone }) {
  switch (tone) {
    case 'going':
      return (
        <Icon turning>
          <circle cx="8" cy="8" r="6" {...line} strokeWidth="2" opacity="0.28" />
          <path d="M8 2a6 6 0 0 1 6 6" {...line} strokeWidth="2" />
        </Icon>
      );
    case 'waiting':
      return (
        <Icon>
          <circle cx="8" cy="8" r="6.2" {...line} />
          <path d="M8 4.6V8l2.3 1.6" {...line} />
        </Icon>
      );
    case 'judgment':
      return (
        <Icon>
          <path d="M5.2 8.2V3.6a.9.9 0 0 1 1.8 0v3.6-4.6a.9.9 0 0 1 1.8 0v4.6-3.8a.9.9 0 0 1 1.8 0v4.2-2.2a.9.9 0 0 1 1.8 0v4c0 2.6-1.7 4.6-4.2 4.6-2 0-3-.9-3.9-2.5L2.8 8.9c-.6-1.1.6-2 1.5-1.1z" fill="currentColor" />
        </Icon>
      );
    case 'well':
      return (
        <Icon>
          <circle cx="8" cy="8" r="7" fill="currentColor" />
          <path d="M5 8.2l2.1 2.1L11.2 6" {...line} stroke="var(--ground)" strokeWidth="1.7" />
        </Icon>
      );
    case 'bad':
      return (
        <Icon>
          <rect x="1.5" y="1.5" width="13" height="13" rx="2" fill="currentColor" />
          <path d="M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8" {...line} stroke="var(--ground)" strokeWidth="1.7" />
        </Icon>
      );
    case 'despite':
      return (
        <Icon>
          <path d="M8 1.6l7 12.6H1z" fill="currentColor" />
          <path d="M8 6v3.6M8 11.8v.2" {...line} stroke="var(--ground)" strokeWidth="1.6" />
        </Icon>
      );
    case 'stopped':
      return (
        <Icon>
          <rect x="2" y="2" width="12" height="12" rx="2" {...line} />
          <path d="M5.2 8h5.6" {...line} strokeWidth="2" />
        </Icon>
      );
    case 'notrun':
      return (
        <Icon>
          <path d="M4 8h8" {...line} strokeWidth="2" />
        </Icon>
      );
    case 'starting':
      return (
        <Icon>
          <circle cx="8" cy="8" r="6.2" {...line} strokeWidth="1.8" strokeDasharray="0.1 3.1" />
          <circle cx="8" cy="8" r="2" fill="currentColor" />
        </Icon>
      );
  }
}

const drawings = {
  home: <path d="M2.5 7.2L8 2.6l5.5 4.6v6.2H9.8V9.6H6.2v3.8H2.5z" {...line} />,
  applications: <path d="M2.5 2.5h4.4v4.4H2.5zM9.1 2.5h4.4v4.4H9.1zM2.5 9.1h4.4v4.4H2.5zM9.1 9.1h4.4v4.4H9.1z" {...line} />,
  repositories: <path d="M2.5 5L8 2.4 13.5 5v6L8 13.6 2.5 11zM2.5 5L8 7.6 13.5 5M8 7.6v6" {...line} />,
  projects: <path d="M2.5 4h4l1.5 1.8h5.5v7.4h-11z" {...line} />,
  provenance: <path d="M2.5 8a1.6 1.6 0 1 0 3.2 0 1.6 1.6 0 1 0-3.2 0zM10.3 4a1.6 1.6 0 1 0 3.2 0 1.6 1.6 0 1 0-3.2 0zM10.3 12a1.6 1.6 0 1 0 3.2 0 1.6 1.6 0 1 0-3.2 0zM5.6 7.3l4.8-2.6M5.6 8.7l4.8 2.6" {...line} />,
  activity: <path d="M2 8.5h2.6l1.8-5 3.2 9 1.8-4H14" {...line} />,
  settings: <path d="M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M10 2.9v3.2M6 9.9v3.2" {...line} />,
  search: <path d="M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3l3.2 3.2" {...line} />,
  pipeline: <path d="M2.3 8h2.4M6.9 8h2.2M11.3 8h2.4M4.7 5.9h2.2v4.2H4.7zM9.1 5.9h2.2v4.2H9.1z" {...line} />,
  servers: <path d="M2.5 2.8h11v4h-11zM2.5 9.2h11v4h-11zM5 4.8h.1M5 11.2h.1" {...line} />,
  balancer: <path d="M8 2.5v4M8 6.5L3.5 10M8 6.5V10M8 6.5l4.5 3.5M2.4 11.2h2.2v2.2H2.4zM6.9 11.2h2.2v2.2H6.9zM11.4 11.2h2.2v2.2h-2.2z" {...line} />,
  language: <path d="M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2zM2.2 8h11.6M8 2.2c-3.2 3.4-3.2 8.2 0 11.6M8 2.2c3.2 3.4 3.2 8.2 0 11.6" {...line} />,
  bell: <path d="M2.8 11.8h10.4L12 10.4V7a4 4 0 0 0-8 0v3.4zM6.8 14h2.4" {...line} />,
  clock: <path d="M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2zM8 4.8V8l2.2 1.5" {...line} />,
  plus: <path d="M8 3v10M3 8h10" {...line} />,
  fold: <path d="M2.5 3h11v10h-11zM6 3v10" {...line} />,
  copy: <path d="M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1" {...line} />,
  check: <path d="M3 8.5l3.2 3.2L13 5" {...line} />,
  close: <path d="M4 4l8 8M12 4l-8 8" {...line} />,
  play: <path d="M4.5 2.8v10.4l8.6-5.2z" fill="currentColor" />,
  right: <path d="M6 3.5L10.5 8 6 12.5" {...line} />,
  open: <path d="M6.5 3h-4v10.5H13v-4M9 2.5h4.5V7M13.5 2.5L7.5 8.5" {...line} />,
  theme: <path d="M8 2.2v11.6a5.8 5.8 0 0 0 0-11.6zM8 2.2a5.8 5.8 0 1 0 0 11.6 5.8 5.8 0 0 0 0-11.6z" {...line} />,
  stop: <rect x="3.5" y="3.5" width="9" height="9" rx="1.5" fill="currentColor" />,
} as const;

export type Drawing = keyof typeof drawings;

export function Draw({ what }: { what: Drawing }) {
  return <Icon>{drawings[what]}</Icon>;
}

/** The sail: the product's sign. */
export function Sail() {
  return (
    <svg className="sail" viewBox="0 0 16 16" width="20" height="20" aria-hidden="true" focusable="false">
      <rect width="16" height="16" rx="4" fill="var(--accent)" />
      <path d="M5 2.5C10 4.5 12.5 8 12.5 11.5H5z" fill="var(--accent-ink)" />
      <path d="M3.5 13h9" stroke="var(--accent-ink)" strokeWidth="1.3" strokeLinecap="round" />
    </svg>
  );
}
