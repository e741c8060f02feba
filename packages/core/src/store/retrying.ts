import { sleep, throwIfAborted } from "../lifecycle/index.ts";
import { databaseError } from "./database-error.ts";

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;

export interface RetryingOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long to go on trying; default 60 seconds, more than a crashed PostgreSQL needs to come back. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Runs database work and repeats it while the database is away (killed, restarting, not yet reachable).
 * The connection may be lost after a commit and before its answer, so the work must give the same result
 * when it is done twice: one transaction that checks what it finds.
 *
 * @throws whatever `databaseError` makes of the last error; the signal's reason when it aborts
 */
export async function retrying<T>(work: () => Promise<T>, options: RetryingOptions = {}): Promise<T> {
  const { signal, timeoutMs = 60_000 } = options;
  const endsAt = performance.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    throwIfAborted(signal);
    try {
      return await work();
    } catch (error) {
      const known = databaseError(error);
      if (known.code !== "DATABASE_UNAVAILABLE" || performance.now() + pauseMs > endsAt) throw known;
    }
    await sleep(pauseMs, { signal });
  }
}
