export type { ColumnMismatch } from "./match-columns.ts";
export { type CategoryDrift, type ColumnDrift, type DatasetDrift, measureDrift, type NumberDrift, type TrainedAndNow } from "./measure-drift.ts";
export type { DriftBand } from "./stability-index.ts";
