export { type Accumulator, createAccumulator } from "./accumulator.ts";
export { addVectors } from "./adder.ts";
export { checkVector, type CoordinateBounds, type VectorCheck } from "./check-vector.ts";
export { decodeSum, type DecodeSumOptions } from "./decode-sum.ts";
export { type EncodedUpdate, encodeUpdate, type EncodeUpdateOptions } from "./encode-update.ts";
export {
  checkEncoding,
  COORDINATE_BYTES,
  coordinateDtype,
  type CoordinateDtype,
  COORDINATES,
  type CoordinateVector,
  encodeUpdateFile,
  newVector,
  type EncodingSpec,
  updateFileHeader,
  updateFileSizeBytes,
  type VectorLayout,
  vectorLayout,
  vectorLength,
} from "./encoding.ts";
export { contradiction, decodeExtras, metricSteps, type UpdateExtras } from "./extras.ts";
export { inspectUpdateFile } from "./inspect-update-file.ts";
export { type AggregationKernel, instantiateAggregationKernel } from "./kernel.ts";
export { loadAggregationKernel } from "./load-kernel.ts";
export { DEFAULT_TILE_LENGTH, sumExtras, type SumTile, sumUpdates, type SumUpdatesOptions } from "./sum-updates.ts";
export { type TileSource, updateFileSource, vectorSource } from "./tile-source.ts";
