/** The system's Chromium, with an empty profile. @module */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** Without it, tests that need a browser are skipped, and say so. */
export const HAS_CHROMIUM = existsSync(CHROMIUM);
if (!HAS_CHROMIUM) console.warn(`The coordinator's page is not looked at: there is no Chromium at ${CHROMIUM}.`);

/** Starts it; it is closed with `await using`. */
export async function launchChromium(more: readonly string[] = []): Promise<Browser & AsyncDisposable> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS.split(" "), ...more] });
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
}
