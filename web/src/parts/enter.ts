// Enter submits, except the Enter that ends an input-method composition (Hangul and others): that one only ends the composition.

/** As much of a keyboard event as is needed to tell. */
export interface EnterLike {
  key: string;
  isComposing?: boolean;
  keyCode?: number;
}

/** Whether this key press asks to submit. Safari reports the Enter that ends a composition with key code 229 and no flag. */
export function submits(event: EnterLike): boolean {
  return event.key === 'Enter' && event.isComposing !== true && event.keyCode !== 229;
}

/** The same of a key press in a component. */
export function entered(event: { key: string; keyCode: number; nativeEvent: { isComposing: boolean } }): boolean {
  return submits({ key: event.key, isComposing: event.nativeEvent.isComposing, keyCode: event.keyCode });
}
