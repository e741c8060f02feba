import { globSync } from "node:fs";
import { describe } from "vitest";
import { runPages } from "./fences/run-pages.ts";
import { ROOT } from "./workspaces.ts";

describe("every fence of the docs is run or checked", () => {
  runPages(globSync("docs/*.md", { cwd: ROOT }).toSorted());
});
