import type { Address } from "./kernel-exports.ts";

/** Lays out buffers one behind the other. Nothing is ever freed: a network's buffers are all known when it is made. */
export interface MemoryPlan {
  /** Room for `count` f32 (or i32), aligned to a cache line and padded so that kernels may run over the end by 16. */
  floats(count: number): Address;
  bytes(count: number): Address;
  /** First address behind everything laid out so far. */
  readonly end: Address;
}

const LINE_BYTES = 64;

export function createMemoryPlan(base: Address): MemoryPlan {
  let end = roundUp(base);
  function bytes(count: number): Address {
    const at = end;
    end = roundUp(end + count) + LINE_BYTES;
    return at;
  }
  return {
    bytes,
    floats: (count) => bytes(count * 4),
    get end() {
      return end;
    },
  };
}

function roundUp(address: number): number {
  return Math.ceil(address / LINE_BYTES) * LINE_BYTES;
}
