// The remaining records of the page: applications in the list, Home, log lines.

import { readExecution, type Execution } from './execution';
import { list, map, number, optNumber, optText, text, texts } from './read';

export interface Application {
  name: string;
  email: string | undefined;
  description: string | undefined;
  accounts: string[];
  updated: number | undefined;
  /** Who saved it last. */
  by: string;
}

export function readApplication(value: unknown): Application {
  const attributes = map(value);
  return {
    name: text(attributes.name),
    email: optText(attributes.email),
    description: optText(attributes.description),
    accounts: listed(attributes.accounts).length > 0 ? listed(attributes.accounts) : listed(attributes.cloudProviders),
    updated: optNumber(attributes.updateTs) ?? optNumber(attributes.createTs),
    by: text(attributes.lastModifiedBy),
  };
}

/** `"a,b"` or `["a","b"]`. */
function listed(value: unknown): string[] {
  if (Array.isArray(value)) return texts(value);
  return text(value)
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

export interface Home {
  running: Execution[];
  broken: Execution[];
  applications: number;
}

export function readHome(value: unknown): Home {
  const home = map(value);
  return {
    running: list(home.running).map(readExecution),
    broken: list(home.broken).map(readExecution),
    applications: number(home.applications),
  };
}

export interface LogLine {
  seq: number;
  at: number | undefined;
  stage: string | undefined;
  text: string;
}

export interface Log {
  lines: LogLine[];
  /** Whether older lines were left out. */
  cut: boolean;
}

export function readLog(value: unknown): Log {
  const log = map(value);
  return {
    lines: list(log.lines).map((one, at) => {
      const line = map(one);
      return { seq: number(line.seq, at), at: optNumber(line.at), stage: optText(line.stage), text: text(line.text) };
    }),
    cut: log.cut === true,
  };
}
