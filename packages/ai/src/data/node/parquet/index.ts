export { inferParquetFiles, readParquetInto } from "./parquet-examples.ts";
