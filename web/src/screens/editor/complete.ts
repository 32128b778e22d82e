// Completion inside expressions: which names go on from what stands before the caret. Pure.

export interface Offer {
  /** What is put in. */
  insert: string;
  /** What it is, in a few words. */
  about: string;
}

export interface Completion {
  from: number;
  to: number;
  offers: Offer[];
}

const MOST = 12;

/** Whether the caret stands inside `${ … }`. */
export function isInside(text: string, caret: number): boolean {
  const open = text.lastIndexOf('${', caret - 1);
  return open >= 0 && open + 2 <= caret && !text.slice(open, caret).includes('}');
}

export function complete(text: string, caret: number, names: Offer[]): Completion | undefined {
  if (!isInside(text, caret)) return undefined;
  const before = text.slice(0, caret);
  // A stage's name may have any letters: `#stage('Ship it` is one word.
  const word = /#stage\('[^']*$|#?[\p{L}\p{N}_.]*$/u.exec(before.slice(before.lastIndexOf('${') + 2))?.[0] ?? '';
  const typed = word.toLowerCase();
  const offers = names.filter((name) => name.insert.toLowerCase().startsWith(typed) && name.insert !== word);
  const others = typed.length < 2 ? [] : names.filter((name) => !offers.includes(name) && name.insert.toLowerCase().includes(typed.replace(/^#/, '')) && name.insert !== word);
  const all = [...offers, ...others].slice(0, MOST);
  return all.length === 0 ? undefined : { from: caret - word.length, to: caret, offers: all };
}

export function applied(text: string, completion: Completion, offer: Offer): { text: string; caret: number } {
  const head = text.slice(0, completion.from) + offer.insert;
  return { text: head + text.slice(completion.to), caret: head.length };
}

/** The names that an expression of this pipeline can use. */
export function namesOf(parameters: string[], stages: string[], functions: { name: string; description: string }[], words: { trigger: string; parameter: string; stage: string }): Offer[] {
  const plain = (name: string) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name);
  return [
    ...parameters.map((name) => ({ insert: plain(name) ? `parameters.${name}` : `parameters['${name.replaceAll("'", "''")}']`, about: words.parameter })),
    ...stages.map((name) => ({ insert: `#stage('${name.replaceAll("'", "''")}')`, about: words.stage })),
    { insert: 'trigger', about: words.trigger },
    { insert: 'parameters', about: words.parameter },
    { insert: 'execution', about: '' },
    ...functions.map((one) => ({ insert: `#${one.name}(`, about: one.description })),
  ];
}
