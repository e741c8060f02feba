/** What an attempt at a sum is bound to. @module */
import { sha256 } from "@noble/hashes/sha2.js";
import { canonicalBytes } from "../keys/index.ts";

/** Names one attempt at one sum: no two sums of a project have the same. */
export interface Attempt {
  readonly runId: string;
  /** What is summed up: for example "fit". */
  readonly kind: string;
  readonly round: number;
  readonly attempt: number;
  /** SHA-256 of the plan, hex: who may take part, the encoding, the threshold's assumptions. */
  readonly planHash: string;
  /** SHA-256 of the model that the round starts from, hex; empty where none is needed. */
  readonly baseModelHash: string;
}

/** 32 bytes that every signature, sealed share and mask of the attempt is bound to. @throws RangeError for a round or attempt that is no count */
export function attemptContext({ runId, kind, round, attempt, planHash, baseModelHash }: Attempt): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    sha256(canonicalBytes("ciphernx.secagg.v1/attempt", [runId, kind, BigInt(round), BigInt(attempt), planHash, baseModelHash])),
  );
}
