import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, type Workspace, workspaces } from "./workspaces.ts";

/** Which packages a package may depend on: docs/ARCHITECTURE.md, "The house". Apps may depend on any package, nothing on an app but an app. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  crypto: [],
  ui: [],
  core: ["crypto"],
  protocol: ["core", "crypto"],
  ai: ["protocol", "core", "crypto"],
};

const all = workspaces();
const byPackageName = new Map(all.map((workspace) => [workspace.manifest.name, workspace]));

function mayDependOn(from: Workspace, to: Workspace): boolean {
  if (from.name === to.name || from.kind === "app") return true;
  return to.kind === "package" && (ALLOWED[from.name]?.includes(to.name) ?? false);
}

/** Workspace packages among import specifiers such as `@ciphernx/core/errors`. */
function workspaceOf(specifier: string): Workspace | undefined {
  return byPackageName.get(specifier.split("/").slice(0, 2).join("/"));
}

/** Every module specifier that a source names, statically, dynamically, or to resolve it. */
function specifiers(source: string): readonly string[] {
  const patterns = [/\bfrom\s+"([^"]+)"/g, /\bimport\s+"([^"]+)"/g, /\bimport\(\s*"([^"]+)"/g, /\bimport\.meta\.resolve\(\s*"([^"]+)"/g];
  return patterns.flatMap((pattern) => [...source.matchAll(pattern)].map(([, specifier]) => specifier!));
}

function sourcesOf({ folder }: Workspace): readonly string[] {
  return globSync(["src/**/*.ts", "bin/**/*.js"], { cwd: folder, exclude: ["src/gen/**"] }).map((file) => join(folder, file));
}

describe("dependencies point one way", () => {
  it("knows every package", () => {
    expect(
      all
        .filter(({ kind }) => kind === "package")
        .map(({ name }) => name)
        .filter((name) => ALLOWED[name] === undefined),
    ).toEqual([]);
  });

  it.each(all.map((workspace) => [workspace.manifest.name, workspace] as const))("%s declares no edge against them", (_, workspace) => {
    const { dependencies, optionalDependencies, peerDependencies, devDependencies } = workspace.manifest;
    const declared = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies, ...devDependencies });
    const wrong = declared.filter((name) => {
      const to = byPackageName.get(name);
      return to !== undefined && !mayDependOn(workspace, to);
    });
    expect(wrong).toEqual([]);
  });

  it.each(all.map((workspace) => [workspace.manifest.name, workspace] as const))(
    "%s imports only what it declares, along allowed edges, through exports",
    (name, workspace) => {
      const { dependencies = {}, optionalDependencies = {} } = workspace.manifest;
      const wrong = sourcesOf(workspace).flatMap((file) =>
        specifiers(readFileSync(file, "utf8")).flatMap((specifier) => {
          const where = `${relative(ROOT, file)}: ${specifier}`;
          const to = workspaceOf(specifier);
          if (to === undefined) return reachesOut(file, specifier, workspace) ? [`${where} leaves its package`] : [];
          if (!mayDependOn(workspace, to)) return [`${where} is against the direction`];
          const isDeclared = to.manifest.name === name || to.manifest.name in dependencies || to.manifest.name in optionalDependencies;
          if (!isDeclared) return [`${where} is not declared in package.json`];
          return isExported(to, specifier) ? [] : [`${where} is not exported`];
        }),
      );
      expect(wrong).toEqual([]);
    },
  );

  it("would notice: the checks find what is wrong", () => {
    const core = all.find(({ name }) => name === "core")!;
    const crypto = all.find(({ name }) => name === "crypto")!;
    const cli = all.find(({ name }) => name === "cli")!;
    expect(mayDependOn(crypto, core)).toBe(false);
    expect(mayDependOn(core, cli)).toBe(false);
    expect(mayDependOn(cli, core)).toBe(true);
    expect(isExported(core, "@ciphernx/core/src/errors/index.ts")).toBe(false);
    expect(reachesOut(join(core.folder, "src/a.ts"), "../../crypto/src/index.ts", core)).toBe(true);
    expect(specifiers('import a from "b";\nimport "c";\nexport * from "d";\nawait import("e");')).toEqual(["b", "d", "c", "e"]);
  });
});

/** Whether a relative import ends outside its own package; bin/nexus.js may, to find the checkout it lies in. */
function reachesOut(file: string, specifier: string, { folder, name }: Workspace): boolean {
  if (!specifier.startsWith(".") || (name === "cli" && file.endsWith("bin/nexus.js"))) return false;
  return relative(folder, join(file, "..", specifier)).startsWith("..");
}

function isExported({ manifest }: Workspace, specifier: string): boolean {
  const subpath = `.${specifier.slice(manifest.name.length)}`;
  return Object.keys(manifest.exports ?? {}).some((entry) => entry === subpath || (entry.endsWith("/*") && subpath.startsWith(entry.slice(0, -1))));
}
