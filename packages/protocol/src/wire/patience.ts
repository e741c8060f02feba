/**
 * How long a transfer that was cut goes on trying: as often as it likes while it moves, a few times when it does not.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";
import { brokenConnection } from "./rpc-channel.ts";

/** Tries without progress after which a transfer is given up. */
export const DEFAULT_TRIES = 8;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Where the connection was not even made: nothing was interrupted. */
const NOT_CONNECTED: ReadonlySet<string> = new Set(["EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND"]);

/** The patience of one transfer. */
export interface Patience {
  /** The transfer has come further: tries are counted anew. */
  moved(): void;
  /** Waits before the next try; throws the error when there should be none. The first try after progress comes at once. */
  afterCut(error: unknown, signal: AbortSignal): Promise<void>;
}

/** Options of {@link createPatience}. */
export interface PatienceOptions {
  /** Tries without progress, at least 0. */
  readonly tries: number;
  /** Milliseconds since 1970 after which no try is begun. */
  readonly deadlineUnixMs?: number | undefined;
}

/** Patience for one transfer that has not moved yet. */
export function createPatience({ tries, deadlineUnixMs = Infinity }: PatienceOptions): Patience {
  let tried = 0;
  let began = false;
  return {
    moved() {
      tried = 0;
      began = true;
    },
    async afterCut(error, signal) {
      if (signal.aborted || tried >= tries || !isCut(error, began)) throw error;
      // Whoever waits in vain for a moment more is late with it.
      const durationMs = pauseMs(tried);
      began ||= brokenConnection(error) !== undefined;
      if (Date.now() + durationMs > deadlineUnixMs) throw error;
      tried += 1;
      if (durationMs > 0) await sleep(durationMs, { signal });
    },
  };
}

/**
 * Whether going on may help: the connection broke, stalled or could not be made again, or the coordinator is about to restart. Before anything
 * has moved, an address where nobody answers is told at once: waiting for a coordinator is its caller's business.
 */
function isCut(error: unknown, began: boolean): boolean {
  const errno = brokenConnection(error);
  if (errno !== undefined) return began || !NOT_CONNECTED.has(errno);
  if (!(error instanceof NexusError)) return false;
  return error.code === "UPLOAD_OFFSET_MISMATCH" || (began && (error.code === "COORDINATOR_UNREACHABLE" || error.code === "TIMEOUT"));
}

/** None before the first try, then doubled each time; half of it by chance, so that many who were cut together do not come back together. */
function pauseMs(tried: number): number {
  if (tried === 0) return 0;
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tried - 1)) * (0.5 + random / 2 ** 33);
}
