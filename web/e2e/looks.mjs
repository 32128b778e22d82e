// What a walk looks at on every screen: barriers that axe finds, and pictures where somebody asks for them.

import AxeBuilder from '@axe-core/playwright';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './browser.mjs';

/** Nothing serious keeps anybody out of what `page` shows. */
export async function accessible(page, where) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter((one) => one.impact === 'serious' || one.impact === 'critical');
  const told = serious.map((one) => `${one.id}: ${one.help} at ${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')}`);
  must(serious.length === 0, `${where} has serious barriers:\n  ${told.join('\n  ')}`);
}

/** What the pictures of a screen are taken in; the first is how the walk itself looks at it. */
const LOOKS = [
  { end: '', language: 'en', colorScheme: 'light' },
  { end: '-dark', language: 'en', colorScheme: 'dark' },
  { end: '-ko', language: 'ko', colorScheme: 'light' },
  { end: '-ko-dark', language: 'ko', colorScheme: 'dark' },
];
const SIZE = { width: 1280, height: 800 };

/**
 * Takes pictures of `page` into a folder; without a folder it does nothing. `picture(NAME)` takes one of a step, below `steps/`;
 * `picture.screen(NAME)` takes a screen in light and dark, in English and Korean, all of one size, and leaves the page as it was.
 */
export function pictures(page, folder) {
  const take = async (name) => {
    // What moves comes to rest.
    await page.waitForTimeout(150);
    await page.screenshot({ path: join(folder, `${name}.png`) });
  };
  const picture = async (name) => {
    if (folder === undefined) return;
    mkdirSync(join(folder, 'steps'), { recursive: true });
    await take(join('steps', name));
  };
  picture.screen = async (name) => {
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    const size = page.viewportSize();
    await page.setViewportSize(SIZE);
    for (const { end, language, colorScheme } of LOOKS) {
      await page.emulateMedia({ colorScheme });
      await speak(page, language);
      await take(name + end);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await speak(page, 'en');
    await page.setViewportSize(size);
  };
  return picture;
}

/** Changes the language without a click, which would close or cover what is to be seen. */
async function speak(page, language) {
  await page.locator('select.choice').evaluate((select, value) => {
    select.value = value;
    select.dispatchEvent(new Event('change', { bubbles: true }));
  }, language);
  await page.locator(`html[lang=${language}]`).waitFor({ state: 'attached' });
}
