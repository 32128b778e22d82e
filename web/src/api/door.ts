// The way to the server, which is shut for a moment while its first token is made. From the moment on that the server has one until the browser
// has it too, any other request would have the browser ask people for what the page is just being told.

/** No request that is on its way is waited for longer than this, in milliseconds. */
const PATIENCE = 2000;

let shut: Promise<unknown> | undefined;
const onTheWay = new Set<Promise<unknown>>();

/** Done when nothing has to wait. */
export async function opened(): Promise<void> {
  while (shut !== undefined) await shut;
}

export const isShut = () => shut !== undefined;

/** A request of the page, which waits for the door. */
export async function through(...request: Parameters<typeof fetch>): Promise<Response> {
  while (shut !== undefined) await shut;
  const answer = fetch(...request);
  onTheWay.add(answer);
  try {
    return await answer;
  } finally {
    onTheWay.delete(answer);
  }
}

/** Does something while the page asks for nothing else: what is on its way is answered before. */
export function alone<T>(work: () => Promise<T>): Promise<T> {
  const late = new Promise((done) => setTimeout(done, PATIENCE));
  const answered = Promise.race([Promise.allSettled(onTheWay), late]);
  const done = Promise.all([shut, answered]).then(work);
  const mine: Promise<unknown> = done
    .catch(() => undefined)
    .finally(() => {
      if (shut === mine) shut = undefined;
    });
  shut = mine;
  return done;
}
