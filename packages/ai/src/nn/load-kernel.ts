import { wasmLoader } from "../wasm/index.ts";
import { createKernel, type Kernel } from "./kernel.ts";

/**
 * The kernels of this package, read and compiled once a process (or page).
 * @throws NexusError INTERNAL when the file is missing or not theirs, with what builds it.
 */
export const loadKernel: () => Promise<Kernel> = wasmLoader({
  // The same file from `src/nn` and from `dist/nn`.
  url: new URL("../../wasm/nn.wasm", import.meta.url),
  name: "training kernels",
  compile: createKernel,
});
