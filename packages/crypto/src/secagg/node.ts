/** What the protocol needs, by Node's own cryptography. @module */
import { randomFillSync } from "node:crypto";
import { nodeHpke } from "../hpke/node.ts";
import { loadMaskKernel } from "./masking/index.ts";
import { nodeKeystream } from "./masking/node-keystream.ts";
import type { SecAggPrimitives } from "./primitives.ts";

/** Loads the masking kernels once. */
export async function nodeSecAgg(): Promise<SecAggPrimitives> {
  return { ...nodeHpke(), randomBytes: (length) => randomFillSync(new Uint8Array(length)), keystream: nodeKeystream, kernel: await loadMaskKernel() };
}
