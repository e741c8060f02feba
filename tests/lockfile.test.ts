import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "./workspaces.ts";

type Packages = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-lockfile-"));
  mkdirSync(join(folder, "scripts"));
  cpSync(join(ROOT, "scripts/lockfile.mjs"), join(folder, "scripts/lockfile.mjs"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function lockfile(mode: "--check" | "--fix", at = folder) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(at, "scripts/lockfile.mjs"), mode], { encoding: "utf8" });
  return { status, stdout, stderr };
}

function write(packages: Packages): void {
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ name: "x", lockfileVersion: 3, packages }));
}

function read(): Packages {
  return (JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as { readonly packages: Packages }).packages;
}

const LINTER = {
  version: "1.0.0",
  dev: true,
  optionalDependencies: { "@lint/binding-linux-x64-gnu": "1.0.0", "@lint/binding-linux-arm64-musl": "1.0.0", "@lint/win32-ia32": "1.0.0" },
};
const PRESENT = { version: "1.0.0", dev: true, optional: true, os: ["linux"], cpu: ["x64"], integrity: "sha512-x" };

describe("scripts/lockfile.mjs", () => {
  it("finds the project's own lockfile complete", () => {
    expect(lockfile("--check", ROOT)).toMatchObject({ status: 0, stderr: "" });
  });

  it("names every hole, and fills it with a stub for its platform", () => {
    write({ "": {}, "node_modules/lint": LINTER, "node_modules/@lint/binding-linux-x64-gnu": PRESENT });
    const { status, stderr } = lockfile("--check");
    expect(status).toBe(1);
    expect(stderr).toContain("lacks @lint/binding-linux-arm64-musl@1.0.0, an optional dependency of node_modules/lint.");
    expect(stderr).toContain("lacks @lint/win32-ia32@1.0.0");
    expect(stderr).not.toContain("x64-gnu");
    expect(lockfile("--fix").status).toBe(0);
    expect(read()).toEqual({
      "": {},
      "node_modules/lint": LINTER,
      "node_modules/@lint/binding-linux-x64-gnu": PRESENT,
      "node_modules/@lint/binding-linux-arm64-musl": { version: "1.0.0", optional: true, dev: true, os: ["linux"], cpu: ["arm64"], libc: ["musl"] },
      "node_modules/@lint/win32-ia32": { version: "1.0.0", optional: true, dev: true, os: ["win32"], cpu: ["ia32"] },
    });
    expect(lockfile("--check").status).toBe(0);
  });

  it("puts a second version of a package beside the one that wants it", () => {
    write({
      "node_modules/a": { version: "1.0.0", optionalDependencies: { "a-darwin-arm64": "1.0.0" } },
      "node_modules/a-darwin-arm64": { version: "2.0.0" },
    });
    expect(lockfile("--fix").status).toBe(0);
    expect(Object.keys(read())).toEqual(["node_modules/a", "node_modules/a-darwin-arm64", "node_modules/a/node_modules/a-darwin-arm64"]);
  });

  it("refuses registry hosts and keeps links to workspaces", () => {
    write({
      "node_modules/a": { version: "1.0.0", resolved: "https://registry.example/a.tgz" },
      "node_modules/@x/b": { resolved: "packages/b", link: true },
    });
    expect(lockfile("--check")).toMatchObject({ status: 1, stderr: expect.stringContaining("names a host to fetch node_modules/a from") as string });
    expect(lockfile("--fix").status).toBe(0);
    expect(read()).toEqual({ "node_modules/a": { version: "1.0.0" }, "node_modules/@x/b": { resolved: "packages/b", link: true } });
  });
});
