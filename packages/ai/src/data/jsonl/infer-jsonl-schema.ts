import type { ByteChunks } from "../csv/csv-records.ts";
import type { TableSchema } from "../dataset-schema.ts";
import { invalidCell } from "../table/cell.ts";
import { type ColumnFacts, newFacts, note } from "../table/column-facts.ts";
import { noRows, proposeSchema, type ProposeOptions } from "../table/propose-schema.ts";
import { nestedKind, readJsonRows } from "./json-rows.ts";

/** One file: what errors call it, and its bytes. */
export interface JsonlFile {
  readonly source: string;
  readonly chunks: ByteChunks;
}

/**
 * Proposes the schema of JSONL files of one form by reading them once, as `inferCsvSchema` does of CSV files. Columns come in the
 * order in which their keys are first met.
 * @throws NexusError DATA_INVALID when a file is damaged, a value is nested, the label is not there, or no schema can be made.
 */
export async function inferJsonlSchema(
  files: readonly JsonlFile[],
  options: ProposeOptions & { readonly signal?: AbortSignal } = {},
): Promise<TableSchema> {
  const facts = new Map<string, ColumnFacts>();
  const ignored = new Set(options.ignore);
  let hasRows = false;
  for (const { source, chunks } of files) {
    for await (const rows of readJsonRows(chunks, { source, ...(options.signal === undefined ? {} : { signal: options.signal }) })) {
      for (const { line, values } of rows) {
        hasRows = true;
        for (const [name, value] of Object.entries(values)) {
          const kind = ignored.has(name) ? undefined : nestedKind(value);
          if (kind !== undefined) throw invalidCell({ source, unit: "line", row: line }, name, `the value is ${kind}; nested values are not read`);
          let column = facts.get(name);
          if (column === undefined) facts.set(name, (column = newFacts(name)));
          note(column, textOf(value), `${source}, line ${line}`);
        }
      }
    }
  }
  if (!hasRows) throw noRows(files[0]?.source);
  return proposeSchema([...facts.values()], files[0]!.source, options);
}

/** A plain value as CSV would have it; the empty text where there is none. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value.trim();
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
