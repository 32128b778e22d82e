// Terminal text made inert: colours become names of classes, every other escape and control character is dropped. Pure.

export interface Piece {
  text: string;
  /** `ansi-1` … `ansi-6` and `ansi-strong`, blank-separated; empty for plain text. */
  look: string;
}

// One escape sequence (CSI, OSC, or a two-character one), or one control character that is not a tab.
// eslint-disable-next-line no-control-regex
const ESCAPE = /\u001b\[([0-9;:?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

export function pieces(line: string): Piece[] {
  const found: Piece[] = [];
  let colour = '';
  let strong = false;
  let from = 0;
  const put = (text: string) => {
    if (text !== '') found.push({ text, look: [colour, strong ? 'ansi-strong' : ''].filter((one) => one !== '').join(' ') });
  };
  for (const match of line.matchAll(ESCAPE)) {
    put(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] !== 'm') continue;
    for (const code of (match[1] ?? '').split(';').map(Number)) {
      if (code === 0) [colour, strong] = ['', false];
      else if (code === 1) strong = true;
      else if (code === 22) strong = false;
      else if (code === 39) colour = '';
      else if ((code >= 31 && code <= 36) || (code >= 91 && code <= 96)) colour = `ansi-${code % 10}`;
    }
  }
  put(line.slice(from));
  return found;
}

/** The same text without any look: what a search looks in and what is copied. */
export function bare(line: string): string {
  return pieces(line)
    .map((piece) => piece.text)
    .join('');
}
