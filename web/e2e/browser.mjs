// The browser of the walks: Debian's Chromium, headless, and what a walk needs around it.

import { chromium } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ARGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** A page that remembers everything it should not have said: errors in the console, exceptions, dialogs. */
export async function openBrowser(options = {}) {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, chromiumSandbox: false, args: ARGS });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'light', locale: 'en-US', reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { browser, context, page, complaints };
}

/** Runs one step and prints how long it took; a failure names the step. */
export async function step(name, work) {
  const from = Date.now();
  try {
    const result = await work();
    console.log(`ok    ${name} (${((Date.now() - from) / 1000).toFixed(1)}s)`);
    return result;
  } catch (error) {
    console.log(`FAILS ${name}`);
    throw error;
  }
}

export function must(condition, sentence) {
  if (!condition) throw new Error(sentence);
}

/**
 * Walks from the first step to the last and then prints `end`. What the browser complained of is a fault of the page, but for what
 * `expected` matches. A failure leaves a picture.
 */
export async function conclude({ browser, page, complaints }, end, walk, expected) {
  try {
    await walk();
    const faults = complaints.filter((one) => expected === undefined || !expected.test(one));
    must(faults.length === 0, `the page complained:\n  ${faults.join('\n  ')}`);
    console.log(end);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    for (const one of complaints) console.error(`  ${one}`);
    await page.screenshot({ path: 'walk-failed.png' }).catch(() => undefined);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}
