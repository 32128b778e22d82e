// Where keys are text, and keys by the letter on them.

/** Whether keys that are pressed there are text. */
export function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=range]), textarea, select');
}

/** The letter of a key: a keyboard of another script writes its own, and the key's place says which it would be. */
export function letterOf(event: { key: string; code: string }): string {
  return /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.replace(/^Key/, '').toLowerCase();
}
