// Measuring in the browser: when what a screen is for is painted, how long an answer to a key takes, and how long the longest picture does
// while one scrolls.

import { must, openBrowser } from './browser.mjs';

/** Runs in the page before anything else: `__painted(found)` gives the time of the first picture in which `found` is true. */
function instruments() {
  const shown = (selector) => [...document.querySelectorAll(selector)].some((one) => one.getClientRects().length > 0 && one.getBoundingClientRect().top < innerHeight);
  const when = (found) =>
    new Promise((resolve) => {
      const look = () => {
        // What is there now is in the next picture: the message comes after that is painted.
        if (found()) requestAnimationFrame(() => { const after = new MessageChannel(); after.port1.onmessage = () => resolve(performance.now()); after.port2.postMessage(null); });
        else requestAnimationFrame(look);
      };
      look();
    });
  window.__painted = (selector) => when(() => shown(selector));
  /** From the next press of a key or a button until `found`, a piece of script, is true. */
  window.__answered = (found) =>
    new Promise((resolve) => {
      const test = new Function(`return (${found})`);
      const begin = (event) => {
        for (const type of ['keydown', 'pointerdown']) removeEventListener(type, begin, true);
        const from = event.timeStamp;
        void when(() => test()).then((end) => resolve(end - from));
      };
      for (const type of ['keydown', 'pointerdown']) addEventListener(type, begin, true);
    });
  /** Scrolls so many pixels a picture down to the end or for so long; the longest time between two pictures, and how many had no row in them. */
  window.__scrolled = (selector, step, ms) =>
    new Promise((resolve) => {
      const box = document.querySelector('main');
      const from = performance.now();
      let [last, longest, pictures, empty] = [from, 0, 0, 0];
      const next = (now) => {
        if (pictures > 0) longest = Math.max(longest, now - last);
        last = now;
        const middle = document.elementFromPoint(box.getBoundingClientRect().left + box.clientWidth / 3, innerHeight / 2);
        if (pictures > 0 && middle?.closest(selector) === null) empty++;
        pictures++;
        const before = box.scrollTop;
        box.scrollTop += step;
        if (now - from > ms || (box.scrollTop === before && pictures > 1)) resolve({ longest, pictures, empty, to: box.scrollTop });
        else requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
    });
}

/** A browser that has seen nothing yet, and measures. */
export async function cold() {
  const opened = await openBrowser({ viewport: { width: 1280, height: 900 } });
  await opened.context.addInitScript(instruments);
  return opened;
}

/** Opens an address; the milliseconds from the beginning of the navigation until what is meant is painted. */
export async function painted(page, address, selector) {
  await page.goto(address, { waitUntil: 'commit' });
  // The document that asks may be the one before: a navigation throws away what it was asked.
  return within(page.evaluate((wanted) => window.__painted(wanted), selector), `${selector} is not painted at ${address}`);
}

/** The milliseconds from a press to the picture that answers it. `found` is a piece of script that says whether it is there. */
export async function answered(page, found, press) {
  const answer = page.evaluate((wanted) => window.__answered(wanted), found);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  await press();
  return within(answer, `there is no answer: ${found}`);
}

/** What a browser is asked to wait for has no end of its own. */
function within(work, otherwise, ms = 30_000) {
  let timer;
  const end = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(otherwise)), ms); });
  return Promise.race([work, end]).finally(() => clearTimeout(timer));
}

/** Rows of a table in columns, measured against their bounds; gives what is over. */
export function told(rows) {
  const wide = Math.max(...rows.map(({ name }) => name.length));
  const line = ({ name, ms, bound }) => `${name.padEnd(wide)} ${ms.toFixed(0).padStart(7)} ms${ms > bound ? `  over ${bound}` : ''}`;
  for (const row of rows) console.log(line(row));
  return rows.filter(({ ms, bound }) => ms > bound);
}

export async function asked(base, path) {
  const answer = await fetch(base + path);
  must(answer.ok, `${path} answered ${answer.status}`);
  return answer.json();
}
