// Package files on their way into a repository: first to a folder of uploads, then from there into the repository, as `curl` and Jenkins do it.

import { curl, quoted, type Said } from './actions';
import { Refused, answer, client, sentenceOf, traced } from './client';
import { map, texts } from './read';

export interface Added {
  added: string[];
  removed: string[];
  warnings: string[];
  /** Files that were not taken. They wait in their folder of uploads. */
  failed: string[];
}

function readAdded(value: unknown): Added {
  const told = map(value);
  const report = map(told.Report);
  return { added: texts(report.Added), removed: texts(report.Removed), warnings: texts(report.Warnings), failed: texts(told.FailedFiles) };
}

/** A folder of uploads that nobody else uses: nobody takes another's files with his own. */
export function newFolder(): string {
  return `page-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`;
}

/** Sends files to a folder of uploads. `fetch` does not tell how far an upload is. */
export function send(folder: string, files: File[], progress: (share: number) => void): Promise<void> {
  return new Promise((done, fail) => {
    const form = new FormData();
    for (const file of files) form.append('file', file, file.name);
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => progress(event.lengthComputable && event.total > 0 ? event.loaded / event.total : 0);
    request.onload = () => {
      if (request.status < 300) return done();
      const sentence = sentenceIn(request.responseText) ?? request.statusText;
      fail(new Refused(request.status, traced(request.status, sentence, request.getResponseHeader('x-request-id'))));
    };
    request.onerror = () => fail(new Error(request.statusText));
    request.open('POST', `/api/files/${encodeURIComponent(folder)}`);
    request.send(form);
  });
}

function sentenceIn(body: string): string | undefined {
  try {
    return sentenceOf(JSON.parse(body));
  } catch {
    return sentenceOf(body);
  }
}

/** Uploads files and adds what they hold to a repository. */
export async function addFiles(repository: string, files: File[], progress: (share: number) => void): Promise<Added> {
  const folder = newFolder();
  await send(folder, files, progress);
  const request = client.POST('/api/repos/{name}/file/{dir}', { params: { path: { name: repository, dir: folder } } });
  return readAdded(await answer(request));
}

export function addSaid(origin: string, repository: string, names: string[]): Said {
  const files = names.length === 0 ? ['FILE.deb'] : names;
  const form = files.map((name) => ` -F ${quoted(`file=@${name}`)}`).join('');
  return {
    command: `aptly repo add ${quoted(repository)} ${files.map(quoted).join(' ')}`,
    request: `curl -fsS${form} ${quoted(`${origin}/api/files/up`)} && ${curl('POST', origin, `/api/repos/${encodeURIComponent(repository)}/file/up`)}`,
  };
}
