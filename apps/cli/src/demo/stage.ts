import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "nexus-demo-";

/** A folder for everything that a demo's processes write; gone when the demo ends. */
export interface Stage extends AsyncDisposable {
  readonly folder: string;
}

/** Makes the folder, and removes those of demos whose process is gone (kill −9 leaves files, never processes). */
export async function openStage(): Promise<Stage> {
  for (const name of await readdir(tmpdir())) {
    const owner = Number(/^nexus-demo-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(owner) || isAlive(owner)) continue;
    // Another user's leftovers are not ours to remove.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
  }
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // PostgreSQL runs as another user when the demo runs as root, and must reach its folder through this one.
  await chmod(folder, 0o711);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
