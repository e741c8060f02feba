import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const PACKAGES = fileURLToPath(new URL("../../..", import.meta.url));

/** npm packages that run in a browser's worker as they do in Node. */
const ALLOWED = new Set(["zod", "yaml", "@noble/hashes"]);

/** Modules that a file imports when it is loaded; `import type` and imports in functions are not among them. */
function staticImports(text: string): readonly string[] {
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^"';]*?\bfrom\s*)?"([^"]+)"/gm)].map(([, specifier]) => specifier!);
}

/** The source file of a project's specifier, by the exports of its package. */
function sourceOf(specifier: string): string {
  const [, name = "", entry = ""] = /^@ciphernx\/([^/]+)(.*)$/.exec(specifier) ?? [];
  const manifest = JSON.parse(readFileSync(join(PACKAGES, name, "package.json"), "utf8")) as { exports: Record<string, { source: string }> };
  const target = manifest.exports[`.${entry}`];
  if (target === undefined) throw new Error(`${specifier} is not exported.`);
  return join(PACKAGES, name, target.source);
}

/** Everything that loading a module loads: the project's files, and what is foreign by the file that imports it. */
function closure(entry: string): { readonly files: ReadonlySet<string>; readonly foreign: ReadonlyMap<string, string> } {
  const files = new Set<string>();
  const foreign = new Map<string, string>();
  const open = [entry];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    if (!file.endsWith(".ts")) continue;
    for (const specifier of staticImports(readFileSync(file, "utf8"))) {
      if (specifier.startsWith(".")) open.push(join(dirname(file), specifier));
      else if (specifier.startsWith("@ciphernx/")) open.push(sourceOf(specifier));
      else foreign.set(specifier, relative(PACKAGES, file));
    }
  }
  return { files, foreign };
}

describe("what reads, checks and prices a spec runs in a browser's worker", () => {
  const { files, foreign } = closure(fileURLToPath(new URL("./index.ts", import.meta.url)));

  it("loads no module of Node and no npm package that needs it", () => {
    const packageOf = (specifier: string): string =>
      specifier.startsWith("@") ? specifier.split("/").slice(0, 2).join("/") : specifier.split("/")[0]!;
    const forbidden = [...foreign].filter(([specifier]) => !ALLOWED.has(packageOf(specifier)));
    expect(forbidden).toEqual([]);
  });

  it("was looked at as a whole: the graph reaches the sections and the spec's primitives", () => {
    const names = [...files].map((file) => relative(PACKAGES, file));
    expect(names).toEqual(
      expect.arrayContaining([
        "ai/src/simulation/section.ts",
        "ai/src/federation/sections.ts",
        "core/src/spec/document.ts",
        "ai/src/aggregation/load-kernel.ts",
      ]),
    );
    expect([...files].filter((file) => !existsSync(file))).toEqual([]);
    expect(new Set([...foreign.keys()].map((specifier) => specifier.split("/")[0]))).toEqual(new Set(["zod", "yaml", "@noble"]));
  });

  it("would have found Node's modules: the same walk from the coordinator's side does", () => {
    const { foreign: coordinators } = closure(fileURLToPath(new URL("../simulation/index.ts", import.meta.url)));
    expect([...coordinators.keys()]).toContain("node:worker_threads");
  });
});
