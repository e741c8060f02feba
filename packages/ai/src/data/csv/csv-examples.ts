import { plural, NexusError } from "@ciphernx/core/errors";
import { featureColumns, findLabel, type TableSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import { requireValue, textReader } from "../table/cell.ts";
import { findColumns } from "../table/find-columns.ts";
import { noRows } from "../table/propose-schema.ts";
import { createTableRows, type TableRows } from "../table/table-rows.ts";
import { checkDelimiter } from "./check-delimiter.ts";
import { readRecordsByBytes } from "./csv-bytes.ts";
import { type ByteChunks, type CsvOptions, type CsvRecord, MAX_RECORD_CHARACTERS } from "./csv-records.ts";
import { createCsvRowReader, type CsvRowReader } from "./csv-rows.ts";

export interface CsvTableOptions extends CsvOptions {
  /** Whether the first record names the columns; without it they stand in the schema's order. Default true. */
  readonly header?: boolean;
}

/**
 * Rows of a CSV file as its schema types them. Columns are found by name, in any order; a missing feature becomes NaN, a
 * missing label is an error. Errors name file, row and column but never quote a cell: they may be shown to other parties.
 * @throws NexusError DATA_INVALID when columns are wrong, rows are ragged, or a cell is not what its column declares.
 */
export async function readCsvExamples(chunks: ByteChunks, schema: TableSchema, options: CsvTableOptions = {}): Promise<Examples> {
  const rows = createTableRows(schema);
  await readCsvInto(rows, chunks, schema, options);
  return rows.finish();
}

/** Adds the rows of a CSV file to others; errors as `readCsvExamples`. */
export async function readCsvInto(rows: TableRows, chunks: ByteChunks, schema: TableSchema, options: CsvTableOptions = {}): Promise<void> {
  const source = options.source ?? "the file";
  const delimiter = options.delimiter ?? ",";
  const before = rows.count;
  let fast: CsvRowReader | undefined;
  let write: RecordWriter | undefined;
  function begin(header: readonly string[]): void {
    const positions = findColumns(schema, header, source, rows.kept);
    write = recordWriter(schema, { positions, cells: header.length, source }, rows);
    // Texts that are kept need the long way.
    if (rows.kept.size > 0) return;
    const maxRecordBytes = options.maxRecordCharacters ?? MAX_RECORD_CHARACTERS;
    fast = createCsvRowReader(schema, rows, { positions, cells: header.length, separator: delimiter.charCodeAt(0), maxRecordBytes });
  }
  if (options.header === false) begin(schema.columns.map(({ name }) => name));
  const onRecord = (record: CsvRecord): void => {
    if (write !== undefined) return write(record);
    checkDelimiter(record.cells, delimiter, source);
    begin(record.cells);
  };
  await readRecordsByBytes(chunks, { ...options, source, onRecord, fast: () => fast });
  if (rows.count === before) throw noRows(source, write === undefined ? "is empty" : "holds no rows below its header");
}

/** Writes one record as one row. */
type RecordWriter = (record: CsvRecord) => void;

interface RecordForm {
  readonly positions: ReadonlyMap<string, number>;
  /** Cells of a record. */
  readonly cells: number;
  readonly source: string;
}

function recordWriter(schema: TableSchema, { positions, cells: expected, source }: RecordForm, rows: TableRows): RecordWriter {
  const features = featureColumns(schema).map((column) => ({ position: positions.get(column.name)!, read: textReader(column), column }));
  const column = findLabel(schema);
  const label = column === undefined ? undefined : { column, position: positions.get(column.name)!, read: textReader(column) };
  const kept = [...rows.kept].map(([name, texts]) => ({ position: positions.get(name)!, texts }));

  return ({ row, cells }) => {
    if (cells.length !== expected) {
      throw new NexusError("DATA_INVALID", `${source}, row ${row} has ${plural(cells.length, "cell")}; ${expected} are expected.`, {
        hint: "Look for a missing or extra delimiter, or for a delimiter that needs quotes round its cell.",
        details: { file: source, row },
      });
    }
    const place = { source, row };
    const block = rows.block();
    const start = block.at * features.length;
    for (let i = 0; i < features.length; i += 1) {
      const { position, read, column } = features[i]!;
      block.features[start + i] = requireValue(read(cells[position]!), column, place);
    }
    if (label !== undefined) block.targets[block.at] = requireValue(label.read(cells[label.position]!), label.column, place);
    for (const { position, texts } of kept) texts.push(cells[position]!.trim());
    rows.advance(1);
  };
}
