// Words of the texts by names that come from elsewhere: documents and answers of the server. Pure.

/** The word for a name, nothing for one that has none: also for names that every object has (`constructor`). */
export function wordOf<T>(words: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(words, name) ? words[name] : undefined;
}
