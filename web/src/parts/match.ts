// Whether a text matches what was typed: every word somewhere in it, capitals and the way Hangul is composed aside. Pure.

function plain(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

export function matches(text: string, typed: string): boolean {
  const inside = plain(text);
  return plain(typed)
    .split(/\s+/)
    .every((word) => inside.includes(word));
}
