// A bare kernel instance to call single kernels on arrays of the test.
import { instantiate } from "../kernel.ts";
import type { Address, KernelExports } from "../kernel-exports.ts";
import type { KernelBuild } from "../kernel-builds.ts";
import { loadKernel } from "../load-kernel.ts";
import { createMemoryPlan } from "../memory-plan.ts";

export interface KernelMemory {
  readonly run: KernelExports;
  /** Copies numbers into memory of the kernel. */
  put(values: Iterable<number>): Address;
  /** Room for `count` numbers, all NaN, so that nothing left unwritten goes unseen. */
  room(count: number): Address;
  get(at: Address, count: number): Float32Array;
  bytes(values: Uint8Array): Address;
}

export async function kernelMemory(build: KernelBuild = "baseline"): Promise<KernelMemory> {
  const kernel = await loadKernel({ build });
  const { exports, memory } = instantiate(kernel.module, 32 * 1024 * 1024);
  const plan = createMemoryPlan(kernel.heapBase);
  function put(values: Iterable<number>): Address {
    const floats = Float32Array.from(values);
    const at = plan.floats(floats.length);
    new Float32Array(memory.buffer, at).set(floats);
    return at;
  }
  return {
    run: exports,
    put,
    room: (count) => put(new Float32Array(count).fill(NaN)),
    get: (at, count) => new Float32Array(memory.buffer, at, count).slice(),
    bytes(values) {
      const at = plan.bytes(values.length);
      new Uint8Array(memory.buffer, at).set(values);
      return at;
    },
  };
}
