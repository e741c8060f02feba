export { instantiateMaskKernel, type MaskKernel } from "./kernel.ts";
export type { Keystream, OpenKeystream } from "./keystream.ts";
export { loadMaskKernel } from "./load-kernel.ts";
export { CHUNK_COORDINATES, maskSeed, type MaskStream } from "./mask-key.ts";
export { maskVector, type MaskVectorOptions } from "./mask-vector.ts";
export { type PackedSource, PackedVectorTooShort, type UnmaskedTile, unmaskSum, type UnmaskSumOptions } from "./unmask-sum.ts";
export { webKeystream } from "./web-keystream.ts";
export { packedBytes, type Ring, ringFor } from "../parameters/ring.ts";
