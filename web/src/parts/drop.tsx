// A place that takes package files, and the button for those who do not drag.

import { useRef, useState, type DragEvent, type ReactNode } from 'react';
import { useTexts } from '../texts';

/** What a repository takes. */
const TAKEN = '.deb,.udeb,.ddeb,.dsc,.changes,.buildinfo,.gz,.xz,.bz2,.zst,.asc';

interface Props {
  /** Of the place; `over` is added while files are held over it. */
  className: string;
  /** Of the button. */
  button: string;
  /** What the button says. */
  word: string;
  onFiles: (files: File[]) => void;
  children: (button: ReactNode) => ReactNode;
}

export function DropPlace({ className, button, word, onFiles, children }: Props) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const holds = (event: DragEvent) => event.dataTransfer.types.includes('Files');
  return (
    <div
      className={over ? `${className} over` : className}
      onDragOver={(event) => {
        if (!holds(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        if (!holds(event)) return;
        event.preventDefault();
        setOver(false);
        onFiles([...event.dataTransfer.files]);
      }}
    >
      {children(
        <>
          <button type="button" className={button} onClick={() => input.current?.click()}>
            {word}
          </button>
          <input
            ref={input}
            type="file"
            multiple
            hidden
            accept={TAKEN}
            aria-label={word}
            onChange={(event) => {
              onFiles([...(event.target.files ?? [])]);
              event.target.value = '';
            }}
          />
        </>,
      )}
    </div>
  );
}

/** The files that were dropped, each with its size. */
export function FileList({ files }: { files: File[] }) {
  const t = useTexts();
  return (
    <ul className="inner-list">
      {files.map((file) => (
        <li key={file.name}>
          <bdi>{file.name}</bdi> <span className="soft small">{t.upload.bytes(file.size)}</span>
        </li>
      ))}
    </ul>
  );
}

/** What was not taken, by name; nothing when all was. */
export function NotTaken({ paths }: { paths: string[] }) {
  const t = useTexts();
  if (paths.length === 0) return null;
  return <p className="tone-bad">{t.upload.failed(paths.map((path) => path.split('/').pop() ?? '').join(', '))}</p>;
}
