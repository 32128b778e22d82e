// From a package file to a service: the file goes to the uploads, the server says what it would make of it, and makes it.

import { queryOptions } from '@tanstack/react-query';
import { curl, quoted, type Said } from './actions';
import { answer, client } from './client';
import { list, map, optText, text, texts } from './read';
import { newFolder, send } from './upload';

/** What is typed; empty leaves the choice to the server. */
export interface UpWish {
  name: string;
  port: string;
  check: string;
  instances: string;
  account: string;
}

export const NO_WISH: UpWish = { name: '', port: '', check: '', instances: '', account: '' };

export type Fate = 'made' | 'changed' | 'kept';

export interface UpStep {
  what: string;
  name: string;
  fate: Fate;
  says: string;
}

export interface Up {
  application: string;
  account: string | undefined;
  package: string;
  steps: UpStep[];
  address: string | undefined;
  execution: string | undefined;
  notes: string[];
  /** Of a plan: why it would be refused. */
  refused: string | undefined;
}

function readStep(value: unknown): UpStep {
  const step = map(value);
  const fate = text(step.fate);
  return { what: text(step.what), name: text(step.name), fate: fate === 'made' || fate === 'changed' ? fate : 'kept', says: text(step.says) };
}

function readUp(value: unknown): Up {
  const up = map(value);
  return { application: text(up.application), account: optText(up.account), package: text(up.package), steps: list(up.steps).map(readStep), address: optText(up.address), execution: optText(up.execution), notes: texts(up.notes), refused: optText(up.refused) };
}

function bodyOf(file: string, wish: UpWish, plan: boolean) {
  return {
    file,
    plan,
    ...(wish.name === '' ? {} : { name: wish.name }),
    ...(wish.port === '' ? {} : { port: Number(wish.port) }),
    ...(wish.check === '' ? {} : { check: wish.check }),
    ...(wish.instances === '' ? {} : { instances: Number(wish.instances) }),
    ...(wish.account === '' ? {} : { account: wish.account }),
  };
}

/** Sends the file to the uploads; gives its name there. */
export async function sendPackage(file: File, progress: (share: number) => void): Promise<string> {
  const folder = newFolder();
  await send(folder, [file], progress);
  return `${folder}/${file.name}`;
}

/** Takes the file out of the uploads again. */
export async function forgetPackage(file: string): Promise<void> {
  await answer(client.DELETE('/api/files/{dir}', { params: { path: { dir: file.split('/')[0] ?? '' } } }));
}

/** What would be done with an upload. */
export const upPlanQuery = (file: string, wish: UpWish) =>
  queryOptions({
    queryKey: ['up', file, wish],
    queryFn: async ({ signal }) => readUp(await answer(client.POST('/ui-api/up', { body: bodyOf(file, wish, true), signal }))),
    retry: false,
    staleTime: Infinity,
  });

export async function goUp(file: string, wish: UpWish): Promise<Up> {
  return readUp(await answer(client.POST('/ui-api/up', { body: bodyOf(file, wish, false) })));
}

export function upSaid(origin: string, file: string, wish: UpWish): Said {
  const option = (flag: string, value: string) => (value === '' ? '' : ` --${flag} ${quoted(value)}`);
  const flags = option('name', wish.name) + option('port', wish.port) + option('check', wish.check) + option('instances', wish.instances) + option('account', wish.account);
  const upload = `curl -fsS -T ${quoted(file)} ${quoted(`${origin}/api/files/up/${encodeURIComponent(file)}`)}`;
  return {
    command: `gennaker up ${quoted(file)}${flags} --server ${origin}`,
    request: `${upload} && ${curl('POST', origin, '/ui-api/up', bodyOf(`up/${file}`, wish, false))}`,
  };
}
