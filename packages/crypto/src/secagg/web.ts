import { webHpke } from "../hpke/index.ts";
import { loadMaskKernel, webKeystream } from "./masking/index.ts";
import type { SecAggPrimitives } from "./primitives.ts";

/** What the protocol needs, by WebCrypto: for browsers. Loads the masking kernels once. */
export async function webSecAgg(): Promise<SecAggPrimitives> {
  return {
    ...webHpke(),
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    keystream: webKeystream,
    kernel: await loadMaskKernel(),
  };
}
