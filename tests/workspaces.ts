import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What the tests of the whole repository read of a package. */
export interface Workspace {
  /** `core`, `cli`, … */
  readonly name: string;
  readonly kind: "package" | "app";
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The fields of package.json that matter here. */
export interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Every package and app of the checkout. */
export function workspaces(): readonly Workspace[] {
  return globSync(["packages/*/package.json", "apps/*/package.json"], { cwd: ROOT })
    .toSorted()
    .map((file) => {
      const folder = join(ROOT, dirname(file));
      const manifest = JSON.parse(readFileSync(join(ROOT, file), "utf8")) as Manifest;
      return { name: basename(folder), kind: file.startsWith("apps/") ? "app" : "package", folder, manifest };
    });
}
