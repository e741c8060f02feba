import { readFileSync } from "node:fs";
import { ERROR_CATALOGUE } from "@ciphernx/core/errors";
import { describe, expect, it } from "vitest";
import { ERRORS_PAGE, errorsPage } from "../scripts/errors-page.ts";

describe("docs/errors.md", () => {
  const page = readFileSync(ERRORS_PAGE, "utf8");

  it("is what the catalogue says; `npm run docs` writes it anew", () => {
    expect(page).toBe(errorsPage());
  });

  it("has a heading for every code, and for nothing else", () => {
    const headings = [...page.matchAll(/^## (\S+)$/gm)].map(([, code]) => code);
    expect(headings).toEqual(Object.keys(ERROR_CATALOGUE).toSorted());
  });
});
