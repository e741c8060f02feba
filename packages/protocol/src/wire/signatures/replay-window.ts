/**
 * Sees to it that a signed request counts once: those from outside a window of time are refused, and within it each node's nonces are remembered.
 *
 * The window reaches {@link PAST_SECONDS} back, which leaves room for a request that waits for its line or its place in a queue, and
 * {@link AHEAD_SECONDS} ahead, which is what clocks differ by that are set over the network at all: whoever is further off is told by how much.
 * A nonce is remembered until its signature is too old. Memory is bounded by node, not by address: only verified signatures come here, so that
 * nobody fills the memory of another. A node that signs more than {@link MAX_NONCES} requests within the window waits; nothing is forgotten early.
 *
 * What was remembered is lost with the process. A request that is sent again after that comes with the token of a session that ended with the
 * process, too, or asks for a session by a nonce of the server's that is used once.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";

/** How old a signature may be. */
export const PAST_SECONDS = 60;
/** How far in the future a signature may have been made. */
export const AHEAD_SECONDS = 5;
/** Signatures of one node that are remembered: two hundred a second. */
export const MAX_NONCES = 13_000;

/** Signatures that were seen. */
export interface ReplayWindow {
  /** Whether a signature may be of that time. @throws NexusError CLOCK_DIFFERS */
  assertTimely(nodeId: string, createdUnixSeconds: number): void;
  /** Uses a verified signature's nonce up. @throws NexusError CLOCK_DIFFERS, REQUEST_REPLAYED, SIGNED_TOO_OFTEN */
  use(seen: { readonly nodeId: string; readonly nonce: string; readonly createdUnixSeconds: number }): void;
  /** Nonces that are remembered now. */
  readonly size: number;
}

/** @param now milliseconds since 1970 */
export function createReplayWindow(now: () => number = Date.now): ReplayWindow {
  /** Nonces by node, with the second from which on their signatures are too old. */
  const seen = new Map<string, Map<string, number>>();
  let sweptAt = 0;

  /** Forgets what is too old anyway; once a second. */
  const sweep = (seconds: number): void => {
    if (Math.floor(seconds) === sweptAt) return;
    sweptAt = Math.floor(seconds);
    for (const [nodeId, nonces] of seen) {
      for (const [nonce, until] of nonces) if (until < seconds) nonces.delete(nonce);
      if (nonces.size === 0) seen.delete(nodeId);
    }
  };

  function assertTimely(nodeId: string, createdUnixSeconds: number): void {
    // Whole seconds are signed: a signature is up to a second older than it says.
    const aheadSeconds = createdUnixSeconds - Math.floor(now() / 1000);
    if (aheadSeconds >= -PAST_SECONDS && aheadSeconds <= AHEAD_SECONDS) return;
    const off = `${Math.abs(aheadSeconds)} s ${aheadSeconds > 0 ? "ahead of" : "behind"}`;
    throw new NexusError("CLOCK_DIFFERS", `Node ${nodeId} signed its request at a time ${off} the coordinator's clock.`, {
      details: { node: nodeId, aheadSeconds },
    });
  }

  return {
    assertTimely,
    use({ nodeId, nonce, createdUnixSeconds }) {
      assertTimely(nodeId, createdUnixSeconds);
      sweep(now() / 1000);
      const nonces = seen.get(nodeId) ?? new Map<string, number>();
      if (nonces.has(nonce))
        throw new NexusError("REQUEST_REPLAYED", `A request of node ${nodeId} came a second time.`, { details: { node: nodeId } });
      if (nonces.size >= MAX_NONCES) {
        throw new NexusError("SIGNED_TOO_OFTEN", `Node ${nodeId} signed more than ${MAX_NONCES} requests within ${PAST_SECONDS} s.`, {
          details: { node: nodeId, retryAfterSeconds: PAST_SECONDS },
        });
      }
      // One second more, as the time that is signed is rounded down.
      nonces.set(nonce, createdUnixSeconds + PAST_SECONDS + 1);
      seen.set(nodeId, nonces);
    },
    get size() {
      return seen.values().reduce((sum, nonces) => sum + nonces.size, 0);
    },
  };
}
