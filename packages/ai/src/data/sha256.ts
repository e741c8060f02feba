import { sha256 as portableSha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** A SHA-256 in progress. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  hex(): string;
}

/**
 * Starts a SHA-256: the host's own where it is Node (over 1 GB/s), else a portable one. Both give the same digest, and the
 * lookup at run time keeps this file loadable in a browser.
 */
export function startSha256(): Hasher {
  const native = typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:crypto")?.createHash("sha256");
  if (native !== undefined) return { update: (bytes) => void native.update(bytes), hex: () => native.digest("hex") };
  return startPortableSha256();
}

/** The portable SHA-256, for hosts without one of their own that is synchronous. */
export function startPortableSha256(): Hasher {
  const hash = portableSha256.create();
  return { update: (bytes) => void hash.update(bytes), hex: () => bytesToHex(hash.digest()) };
}
