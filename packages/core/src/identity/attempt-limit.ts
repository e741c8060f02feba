/**
 * A limit on wrong secrets: a token bucket for each address, in memory. A bucket holds `burst` attempts and fills again evenly over a minute.
 *
 * The number of addresses is bounded: beyond it the one that failed longest ago is forgotten. IPv6 addresses count by their /64, since one
 * host has that many to choose from (RFC 4291 §2.5.4); IPv4 addresses mapped into IPv6 count as what they are.
 *
 * @module
 */

const WINDOW_MS = 60_000;

export interface AttemptLimitOptions {
  /** Wrong secrets that an address may send in a minute. */
  readonly perMinute: number;
  /** Addresses that are remembered. Default 10,000. */
  readonly maxAddresses?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** Counts wrong secrets by address. */
export interface AttemptLimit {
  /** Seconds until the address may be wrong again; 0 when it may now. */
  retryAfterSeconds(address: string): number;
  /** Counts one wrong secret of the address. */
  failed(address: string): void;
  /** Addresses that are remembered now. */
  readonly size: number;
}

/** A limit with every bucket full. */
export function createAttemptLimit({ perMinute, maxAddresses = 10_000, now = () => performance.now() }: AttemptLimitOptions): AttemptLimit {
  const msPerAttempt = WINDOW_MS / perMinute;
  /** When each address's bucket will be full again; those that failed last come last. */
  const fullAt = new Map<string, number>();

  const missing = (key: string): number => Math.max(0, (fullAt.get(key) ?? 0) - now()) / msPerAttempt;
  return {
    retryAfterSeconds(address) {
      const excess = missing(addressKey(address)) - (perMinute - 1);
      return excess <= 0 ? 0 : Math.ceil((excess * msPerAttempt) / 1000);
    },
    failed(address) {
      const key = addressKey(address);
      // A bucket that is empty stays empty: more failures do not lengthen the wait.
      const next = now() + Math.min(perMinute, missing(key) + 1) * msPerAttempt;
      fullAt.delete(key);
      fullAt.set(key, next);
      if (fullAt.size <= maxAddresses) return;
      const [oldest] = fullAt.keys();
      fullAt.delete(oldest!);
    },
    get size() {
      return fullAt.size;
    },
  };
}

/** What an address counts as: itself for IPv4, its /64 for IPv6. */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "").replace(/%.*$/, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.toLowerCase().split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  if (tail !== undefined) while (groups.length + after.length < 8) groups.push("0");
  return [...groups, ...after]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
