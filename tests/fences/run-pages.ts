import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../workspaces.ts";
import { LANGUAGES, parseFences } from "./fence.ts";
import { runPage } from "./run-page.ts";

const PAGE_TIMEOUT_MS = 240_000;

/** A test for each page: all of its fences are run or checked. */
export function runPages(pages: readonly string[]): void {
  it.each(pages)("%s", { timeout: PAGE_TIMEOUT_MS + 30_000 }, async (page) => {
    const fences = parseFences(page, readFileSync(join(ROOT, page), "utf8"));
    const { done, skipped } = await runPage(fences, PAGE_TIMEOUT_MS);
    for (const reason of skipped) console.log(`not run: ${reason}`);
    const shown = fences.filter(
      ({ language, attributes }) => LANGUAGES[language] === "shown" && attributes["file"] === undefined && attributes["skip"] === undefined,
    );
    expect(done + skipped.length + shown.length).toBe(fences.length);
  });
}
