import { wasmLoader } from "../wasm/index.ts";
import { type AggregationKernel, instantiateAggregationKernel } from "./kernel.ts";

/**
 * The aggregation kernels of this package, read and compiled once a process (or page).
 * @throws NexusError INTERNAL when the file is missing or not theirs, with what builds it.
 */
export const loadAggregationKernel: () => Promise<AggregationKernel> = wasmLoader({
  // The same file from `src/aggregation` and from `dist/aggregation`.
  url: new URL("../../wasm/aggregation.wasm", import.meta.url),
  name: "aggregation kernels",
  compile: instantiateAggregationKernel,
});
