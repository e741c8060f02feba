import { wasmLoader } from "../wasm/index.ts";
import { createKernel, type Kernel } from "./kernel.ts";
import type { KernelBuild } from "./kernel-builds.ts";

const LOADERS: Readonly<Record<KernelBuild, () => Promise<Kernel>>> = {
  // The same files from `src/nn` and from `dist/nn`.
  baseline: wasmLoader({ url: new URL("../../wasm/nn.wasm", import.meta.url), name: "training kernels", compile: (wasm) => createKernel(wasm) }),
  fma: wasmLoader({
    url: new URL("../../wasm/nn-fma.wasm", import.meta.url),
    name: "training kernels (fma)",
    compile: (wasm) => createKernel(wasm, "fma"),
  }),
};

/**
 * The kernels of this package, read and compiled once a process (or page). What `fma` computes differs between hosts in
 * the last bits; `baseline`, the default, gives the same everywhere.
 * @throws NexusError INTERNAL when the file is missing or not theirs, with what builds it; KERNEL_UNSUPPORTED when the host lacks relaxed SIMD
 */
export function loadKernel({ build = "baseline" }: { readonly build?: KernelBuild } = {}): Promise<Kernel> {
  return LOADERS[build]();
}
