import { chmod, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that goes when it is disposed of. */
export interface TemporaryFolder extends AsyncDisposable {
  /** Absolute, symbolic links resolved. */
  readonly path: string;
}

/**
 * Makes one that every user may pass through: a data folder below it can be reached by the database's user when
 * the tests run as root, which a folder of plain `mkdtemp` (0700) cannot.
 */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "nexus-test-")));
  await chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
