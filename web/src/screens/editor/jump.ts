// Finds the field of a place on the screen and brings the focus there.

import { pathText, type Path } from './paths';

/** Focuses the field at a place, or the nearest around it; says whether there was one. */
export function focusPlace(root: HTMLElement, path: Path): boolean {
  for (let length = path.length; length > 0; length--) {
    const found = root.querySelector<HTMLElement>(`[data-path="${CSS.escape(pathText(path.slice(0, length)))}"]`);
    if (found === null) continue;
    for (let one = found.closest('details'); one !== null; one = one.parentElement?.closest('details') ?? null) one.open = true;
    const control = found.matches('fieldset, header, section') ? found : (found.querySelector<HTMLElement>('input, textarea, select') ?? found);
    found.scrollIntoView({ block: 'center' });
    control.focus({ preventScroll: true });
    return true;
  }
  return false;
}
