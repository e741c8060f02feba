import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseFences } from "./fences/fence.ts";
import { runPage } from "./fences/run-page.ts";
import { ROOT } from "./workspaces.ts";

describe("the fence runner", () => {
  const fixture = readFileSync(join(ROOT, "tests/fences/fixture.md"), "utf8");
  const run = (markdown: string, timeoutMs = 60_000) => runPage(parseFences("page.md", markdown), timeoutMs);

  it("runs a page from top to bottom in one terminal", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "apps/cli/package.json"), "utf8")) as { version: string };
    const { done, skipped, output } = await run(fixture);
    expect(done).toBe(5);
    expect(skipped).toEqual(["page.md:31: needs a second machine"]);
    expect(output).toMatch(
      new RegExp(`^version ${version.replaceAll(".", "\\.")}\nhello from nexus\n\\(npm ci: done already\\)\nUSAGE port: \\d+\n$`),
    );
    expect(output).not.toContain("7700");
  });

  it("names the fence that fails and what it printed, and goes no further", async () => {
    const running = run("```sh\necho first\n```\n\n```sh\necho second\nfalse\necho third\n```\n");
    await expect(running).rejects.toThrow(/^page\.md:5: this fence ended with exit code 1\. It printed:\nsecond\n$/);
  });

  it("stops what takes too long, with everything it started", async () => {
    await expect(run("```sh\nsleep 1000 & sleep 1000\n```\n", 300)).rejects.toThrow("page.md:1: this fence did not end within 0.3 s");
  });

  it("runs no tool that it does not know", async () => {
    await expect(run("```sh\nssh elsewhere\n```\n")).rejects.toThrow(/exit code 127/);
    await expect(run("```sh\nnpm publish\n```\n")).rejects.toThrow(/npm publish is not run by a page/);
  });

  it("refuses wrong types and wrong specs", async () => {
    await expect(run("```ts\nexport const port: number = 'x';\n```\n")).rejects.toThrow(/fence-1\.ts/);
    await expect(run("```yaml\nversion: 1\nrouns: 3\n```\n")).rejects.toThrow(/page\.md:1/);
  });

  it.each([
    ["a skip without a reason", '```sh skip=""\n```\n', /skip needs a value/],
    ["an unknown language", "```fortran\n```\n", /"fortran" is none of/],
    ["no language", "```\n```\n", /"" is none of/],
    ["an unknown attribute", '```sh slow="yes"\n```\n', /slow is none of/],
    ["an attribute that is none", "```sh skip\n```\n", /not written as key="value"/],
    ["an open fence", "```sh\n", /never closed/],
  ])("refuses %s", (_, markdown, reason) => {
    expect(() => parseFences("page.md", markdown)).toThrow(reason);
  });
});
