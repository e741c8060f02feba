import { NexusError } from "@ciphernx/core/errors";
import { sha256 } from "@noble/hashes/sha2.js";
import { type KernelBuild, runsHere } from "./kernel-builds.ts";
import type { KernelExports } from "./kernel-exports.ts";

/**
 * The compiled kernels. Plain data: it can be posted to a worker, which then makes networks without compiling again.
 */
export interface Kernel {
  /**
   * `baseline-` or `fma-`, and the first 12 hex digits of the SHA-256 of the wasm file: kernels of one baseline build
   * give the same bits on every host, those of an fma build on one host.
   */
  readonly build: string;
  readonly module: WebAssembly.Module;
  /** First free byte address of a network's memory. */
  readonly heapBase: number;
  /** Bytes that a matrix product needs to work in. */
  readonly gemmScratchBytes: number;
}

const PAGE_BYTES = 65_536;
/** The module's static data fits in its first page. */
const STATIC_PAGES = 1;

/**
 * Compiles the bytes of `nn.wasm`, or of `nn-fma.wasm`. Works on every host; `loadKernel` finds the file where there is
 * a file system.
 * @throws NexusError INTERNAL when the bytes are not the kernels of this package; KERNEL_UNSUPPORTED when the host lacks what the build needs
 */
export async function createKernel(wasm: Uint8Array<ArrayBuffer>, kind: KernelBuild = "baseline"): Promise<Kernel> {
  if (!runsHere(kind)) {
    throw new NexusError("KERNEL_UNSUPPORTED", `The training kernels ${kind} need WebAssembly with relaxed SIMD, which this host lacks.`);
  }
  const build = `${kind}-${Array.from(sha256(wasm).subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  try {
    const module = await WebAssembly.compile(wasm);
    const { heapBase, gemmScratchBytes } = instantiate(module, STATIC_PAGES * PAGE_BYTES).exports;
    return { build, module, heapBase: heapBase(), gemmScratchBytes: gemmScratchBytes() };
  } catch (cause) {
    throw new NexusError("INTERNAL", `The training kernels ${build} do not load: ${cause instanceof Error ? cause.message : String(cause)}`, {
      hint: "The host needs WebAssembly with fixed-width SIMD; in a clone, `npm run prepare` builds the kernels afresh.",
      cause,
    });
  }
}

/** One instance with a memory of its own of at least `sizeBytes`, which never grows: views of it stay valid. */
export function instantiate(module: WebAssembly.Module, sizeBytes: number): { readonly exports: KernelExports; readonly memory: WebAssembly.Memory } {
  const pages = Math.ceil(sizeBytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return { exports: instance.exports as unknown as KernelExports, memory };
}
