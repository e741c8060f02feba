export { arrayExamples, type ArrayPair } from "./arrays/array-examples.ts";
export { inferArraySchema } from "./arrays/infer-array-schema.ts";
export type { NumericArray, NumericData } from "./arrays/numeric-array.ts";
export { contentHash } from "./content-hash.ts";
export { type CsvTableOptions, readCsvExamples } from "./csv/csv-examples.ts";
export { type ByteChunks, CSV_DELIMITERS, type CsvDelimiter, type CsvOptions, type CsvRecord, readCsvRecords } from "./csv/csv-records.ts";
export { type CsvFile, inferCsvSchema, type InferOptions } from "./csv/infer-csv-schema.ts";
export { createDataset, type Dataset } from "./dataset.ts";
export {
  type CategoryColumn,
  categoryCount,
  classCount,
  type ColumnSchema,
  columnSchema,
  type DatasetSchema,
  datasetSchema,
  featureColumns,
  featureLength,
  labelColumn,
  schemaText,
  type TableSchema,
  type TensorSchema,
  type ValueColumn,
} from "./dataset-schema.ts";
export { type DatasetDescriptor, type DatasetDescriptorInput, descriptorSchema, type HoldOut, holdOutSchema } from "./descriptor.ts";
export {
  type CategoryDrift,
  type ColumnDrift,
  type ColumnMismatch,
  type DatasetDrift,
  type DriftBand,
  measureDrift,
  type NumberDrift,
  type TrainedAndNow,
} from "./drift/index.ts";
export { allocateExamples, concatenateExamples, copyRows, type Examples, type Features, takeRows, type Targets, viewExamples } from "./examples.ts";
export { holdOutRows } from "./hold-out.ts";
export { encodeIdx, type IdxArray, type IdxData, parseIdx } from "./idx/idx-array.ts";
export { inferJsonlSchema, type JsonlFile } from "./jsonl/infer-jsonl-schema.ts";
export { type JsonlOptions, type JsonRow, readJsonRows } from "./jsonl/json-rows.ts";
export { readJsonlExamples } from "./jsonl/jsonl-examples.ts";
export { countMissing, listMissing, type MissingCells, requireComplete } from "./missing-cells.ts";
export { type NpyOptions, readNpy } from "./npy/npy-array.ts";
export {
  partition,
  type PartitionInput,
  type PartitionOptions,
  type PartitionOptionsInput,
  type Partitioner,
  partitioners,
  partitionSchema,
} from "./partition/index.ts";
export { partyNames } from "./party-names.ts";
export {
  type DatasetFacts,
  describeDataset,
  opaqueSchema,
  type OpaqueSchema,
  type RegisteredSchema,
  registeredSchema,
  rowSchema,
  type RowSchema,
} from "./registered-schema.ts";
export { prepareExamples, prepareFeatures, type Preprocessing, preprocessingHash, preprocessingSchema } from "./preprocess/index.ts";
export { rowColumn } from "./row-column.ts";
export { dataSection } from "./section.ts";
export { SOURCE_NAMES, type SourceName } from "./source-names.ts";
export type { RowColumns } from "./table/table-rows.ts";
export { type PartyDataset, splitDataset, type SplitOptions } from "./split.ts";
export { type DatasetTerms, dayOf, termsSchema } from "./terms.ts";
