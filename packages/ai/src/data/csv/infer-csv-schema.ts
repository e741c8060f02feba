import { NexusError, plural } from "@ciphernx/core/errors";
import type { TableSchema } from "../dataset-schema.ts";
import { type ColumnFacts, newFacts, note } from "../table/column-facts.ts";
import { findFacts, noRows, proposeSchema, type ProposeOptions } from "../table/propose-schema.ts";
import { checkDelimiter } from "./check-delimiter.ts";
import { type ByteChunks, readCsvRecords } from "./csv-records.ts";
import type { CsvTableOptions } from "./csv-examples.ts";

export interface InferOptions extends Omit<CsvTableOptions, "source">, ProposeOptions {}

/** One file: what errors call it, and its bytes. */
export interface CsvFile {
  readonly source: string;
  readonly chunks: ByteChunks;
}

/**
 * Proposes the schema of CSV files of one form by reading them once, see `proposeSchema`.
 * @throws NexusError DATA_INVALID when a file is damaged, the label is not there, or no schema can be made.
 */
export async function inferCsvSchema(files: readonly CsvFile[], options: InferOptions = {}): Promise<TableSchema> {
  const facts = await collect(files, options);
  return proposeSchema(facts, files[0]?.source ?? "the file", options);
}

async function collect(files: readonly CsvFile[], options: InferOptions): Promise<readonly ColumnFacts[]> {
  let facts: readonly ColumnFacts[] | undefined;
  let hasRows = false;
  for (const { source, chunks } of files) {
    let positions: readonly ColumnFacts[] | undefined;
    for await (const records of readCsvRecords(chunks, { ...options, source })) {
      for (const { row, cells } of records) {
        if (positions === undefined) {
          checkDelimiter(cells, options.delimiter ?? ",", source);
          const names = options.header === false ? cells.map((_, i) => `column-${i + 1}`) : cells.map((cell) => cell.trim());
          facts ??= names.map(newFacts);
          positions = matchColumns(facts, names, source);
          if (options.header !== false) continue;
        }
        if (cells.length !== positions.length) {
          throw new NexusError("DATA_INVALID", `${source}, row ${row} has ${plural(cells.length, "cell")}; ${positions.length} are expected.`, {
            details: { file: source, row },
          });
        }
        hasRows = true;
        for (let i = 0; i < cells.length; i += 1) note(positions[i]!, cells[i]!.trim(), `${source}, row ${row}`);
      }
    }
    if (positions === undefined) throw noRows(source, "is empty");
  }
  const [first] = files;
  if (facts === undefined || first === undefined) throw new NexusError("DATA_INVALID", "No file is named.", { hint: "Name at least one CSV file." });
  if (!hasRows) throw noRows(first.source, "holds no rows below its header");
  return facts;
}

/** The facts of each column of a file, in the file's order. */
function matchColumns(facts: readonly ColumnFacts[], names: readonly string[], source: string): readonly ColumnFacts[] {
  if (names.length !== facts.length) {
    throw new NexusError("DATA_INVALID", `${source} has ${plural(names.length, "column")}; the first file has ${facts.length}.`, {
      details: { file: source },
    });
  }
  return names.map((name) => findFacts(facts, name, source));
}
