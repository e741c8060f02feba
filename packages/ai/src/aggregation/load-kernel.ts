import { NexusError } from "@ciphernx/core/errors";
import { type AggregationKernel, instantiateAggregationKernel } from "./kernel.ts";

/** The same file from `src/aggregation` and from `dist/aggregation`; bundlers know this form and ship the file. */
const WASM = new URL("../../wasm/aggregation.wasm", import.meta.url);

let loaded: Promise<AggregationKernel> | undefined;

/**
 * The aggregation kernels of this package, read and compiled once a process (or page).
 * @throws NexusError INTERNAL when the file is missing or not theirs, with what builds it.
 */
export function loadAggregationKernel(): Promise<AggregationKernel> {
  loaded ??= load().catch((error: unknown) => {
    // A failure is not kept: the file may be there the next time.
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function load(): Promise<AggregationKernel> {
  try {
    if (WASM.protocol === "file:") {
      const { readFile } = await import("node:fs/promises");
      return await instantiateAggregationKernel(await readFile(WASM));
    }
    const response = await fetch(WASM);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return await instantiateAggregationKernel(await response.arrayBuffer());
  } catch (cause) {
    throw new NexusError(
      "INTERNAL",
      `The aggregation kernels cannot be loaded from ${WASM.href}: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        hint: "In a clone, `npm run prepare` builds them.",
        cause,
      },
    );
  }
}
