/**
 * A limit on bytes a second: a token bucket (Tanenbaum and Wetherall, Computer Networks, 5th ed., §5.4.2) that holds what a tenth of a
 * second brings, so that no burst is longer than that.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";

const BURST_SECONDS = 0.1;
const LARGEST_PIECE_BYTES = 64 * 1024;

/** Limits all who take from it together. */
export interface TokenBucket {
  /** Largest number of bytes to take at a time. */
  readonly pieceBytes: number;
  /** Resolves when so many bytes may go; those who came before go first. */
  take(bytes: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/**
 * A bucket that is empty.
 *
 * @param bytesPerSecond at least 1,000
 * @throws USAGE
 */
export function tokenBucket(bytesPerSecond: number, now: () => number = () => performance.now()): TokenBucket {
  if (!(bytesPerSecond >= 1_000 && bytesPerSecond <= Number.MAX_SAFE_INTEGER)) {
    throw new NexusError("USAGE", `An upload limit of ${bytesPerSecond} bytes a second is less than 1 kB/s.`);
  }
  const burstMs = BURST_SECONDS * 1_000;
  /** When the bucket is as full as what was taken from it demands; a full bucket's lies a burst back. */
  let paidAt = now();
  return {
    pieceBytes: Math.max(1, Math.min(LARGEST_PIECE_BYTES, Math.floor(bytesPerSecond * BURST_SECONDS))),
    async take(bytes, { signal } = {}) {
      paidAt = Math.max(paidAt, now() - burstMs) + (bytes / bytesPerSecond) * 1_000;
      const waitMs = paidAt - now();
      if (waitMs > 0) await sleep(waitMs, { signal });
    },
  };
}
