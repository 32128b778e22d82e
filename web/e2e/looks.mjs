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

/** Takes a picture of `page` by a name into a folder; without a folder it does nothing. */
export function pictures(page, folder) {
  return async (name) => {
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await page.waitForTimeout(150);
    await page.screenshot({ path: join(folder, `${name}.png`) });
  };
}
