import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ROOT, workspaces } from "./workspaces.ts";

/**
 * Prints each entry point's exported names, in a plain Node as a user of the package has it: no bundler, no test runner.
 * It runs from the root, where npm links every package of the checkout.
 */
const LIST_NAMES = `
const names = {};
for (const entry of process.argv.slice(1)) names[entry] = Object.keys(await import(entry)).toSorted();
console.log(JSON.stringify(names));
`;

async function exportedNames(entries: readonly string[]): Promise<Readonly<Record<string, readonly string[]>>> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=source", "--input-type=module", "--eval", LIST_NAMES, "--", ...entries],
    { cwd: ROOT },
  );
  return JSON.parse(stdout) as Record<string, readonly string[]>;
}

describe("public names; `npx vitest run tests/exports.test.ts -u` takes over an intended change", () => {
  const packages = workspaces().filter(({ manifest }) => manifest.exports !== undefined);

  it.each(packages.map(({ manifest }) => [manifest.name, manifest] as const))("%s", async (name, { exports = {} }) => {
    const entries = Object.keys(exports).filter((entry) => !entry.includes("*"));
    expect(await exportedNames(entries.map((entry) => `${name}${entry.slice(1)}`))).toMatchSnapshot();
  });

  it.each(packages.map(({ manifest }) => [manifest.name, manifest] as const))(
    "%s has a source and a built file for every entry",
    (_, { exports = {} }) => {
      for (const [entry, target] of Object.entries(exports)) {
        if (entry.includes("*")) continue;
        expect({ entry, target }).toEqual({
          entry,
          target: { source: expect.stringMatching(/^\.\/src\/.*\.ts$/) as string, default: expect.stringMatching(/^\.\/dist\/.*\.js$/) as string },
        });
        const { source, default: built } = target as { readonly source: string; readonly default: string };
        expect(built).toBe(source.replace("./src/", "./dist/").replace(/\.ts$/, ".js"));
      }
    },
  );
});
