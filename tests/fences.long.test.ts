import { globSync } from "node:fs";
import { describe } from "vitest";
import { runPages } from "./fences/run-pages.ts";
import { ROOT } from "./workspaces.ts";

describe("every fence of the README and of the docs is run or checked", () => {
  runPages(["README.md", ...globSync("docs/**/*.md", { cwd: ROOT }).toSorted()]);
});
