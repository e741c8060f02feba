import { NexusError, plural } from "@ciphernx/core/errors";
import { nearest } from "@ciphernx/core/spec";
import { featureColumns, labelColumn, type TableSchema, type ValueColumn } from "../dataset-schema.ts";
import { allocateExamples, type Examples, viewExamples } from "../examples.ts";
import { isMissing, parseDecimal } from "./cell.ts";
import { checkDelimiter } from "./check-delimiter.ts";
import { type ByteChunks, type CsvOptions, type CsvRecord, readCsvRecords } from "./csv-records.ts";

export interface CsvTableOptions extends CsvOptions {
  /** Whether the first record names the columns; without it they stand in the schema's order. Default true. */
  readonly header?: boolean;
}

const FIRST_CAPACITY = 1_024;

/**
 * Rows of a CSV file as its schema types them. Columns are found by name, in any order; a missing feature becomes NaN, a
 * missing label is an error. Errors name file, row and column but never quote a cell: they may be shown to other parties.
 * @throws NexusError DATA_INVALID when columns are wrong, rows are ragged, or a cell is not what its column declares.
 */
export async function readCsvExamples(chunks: ByteChunks, schema: TableSchema, options: CsvTableOptions = {}): Promise<Examples> {
  const source = options.source ?? "the file";
  const hasHeader = options.header ?? true;
  let reader: RowReader | undefined = hasHeader
    ? undefined
    : rowReader(
        schema,
        schema.columns.map(({ name }) => name),
        source,
      );
  let examples = allocateExamples(schema, FIRST_CAPACITY);
  let count = 0;
  for await (const records of readCsvRecords(chunks, options)) {
    for (const record of records) {
      if (reader === undefined) {
        checkDelimiter(record.cells, options.delimiter ?? ",", source);
        reader = rowReader(schema, record.cells, source);
        continue;
      }
      if (count === examples.count) examples = resize(schema, examples, count, count * 2);
      reader(record, examples, count);
      count += 1;
    }
  }
  if (count === 0) {
    const what = reader === undefined ? "is empty" : "holds no rows below its header";
    throw new NexusError("DATA_INVALID", `${source} ${what}.`, { hint: "A dataset has at least one row.", details: { file: source } });
  }
  return resize(schema, examples, count, count);
}

function resize(schema: TableSchema, examples: Examples, count: number, capacity: number): Examples {
  const resized = allocateExamples(schema, capacity);
  const kept = viewExamples(examples, 0, count);
  resized.features.set(kept.features);
  resized.targets.set(kept.targets);
  return resized;
}

/** Writes one record as one row. */
type RowReader = (record: CsvRecord, into: Examples, at: number) => void;

function rowReader(schema: TableSchema, header: readonly string[], source: string): RowReader {
  const positions = findColumns(schema, header, source);
  const features = featureColumns(schema).map((column) => ({ position: positions.get(column.name)!, read: cellReader(column), column }));
  const label = labelColumn(schema);
  const labelPosition = positions.get(label.name)!;
  const readLabel = cellReader(label);

  function invalid(row: number, column: ValueColumn, what: string): NexusError {
    return new NexusError("DATA_INVALID", `${source}, row ${row}, column "${column.name}": ${what}.`, {
      details: { file: source, row, column: column.name },
    });
  }

  return ({ row, cells }, into, at) => {
    if (cells.length !== header.length) {
      throw new NexusError("DATA_INVALID", `${source}, row ${row} has ${plural(cells.length, "cell")}; ${header.length} are expected.`, {
        hint: "Look for a missing or extra delimiter, or for a delimiter that needs quotes round its cell.",
        details: { file: source, row },
      });
    }
    const start = at * features.length;
    for (let i = 0; i < features.length; i += 1) {
      const { position, read, column } = features[i]!;
      const text = cells[position]!.trim();
      if (isMissing(text, column.missing)) {
        into.features[start + i] = NaN;
        continue;
      }
      const value = read(text);
      if (value === undefined) throw invalid(row, column, expectation(column));
      into.features[start + i] = value;
    }
    const text = cells[labelPosition]!.trim();
    if (isMissing(text, label.missing)) throw invalid(row, label, "the label is missing");
    const value = readLabel(text);
    if (value === undefined) throw invalid(row, label, expectation(label));
    into.targets[at] = value;
  };
}

/** Reads a trimmed cell that is not missing; undefined when it is not what its column declares. */
function cellReader(column: ValueColumn): (text: string) => number | undefined {
  if (column.type === "category") {
    const numbers = new Map(column.categories.map((category, number) => [category.trim(), number]));
    return (text) => numbers.get(text);
  }
  const [low, high] = column.range ?? [-Infinity, Infinity];
  return (text) => {
    const value = parseDecimal(text);
    return value !== undefined && value >= low && value <= high && Number.isFinite(Math.fround(value)) ? value : undefined;
  };
}

function expectation(column: ValueColumn): string {
  if (column.type === "category") {
    const count = column.categories.length;
    return count === 1 ? "the cell is not the one declared category" : `the cell is none of the ${count} declared categories`;
  }
  return column.range === undefined ? "the cell is not a number" : `the cell is not a number from ${column.range[0]} to ${column.range[1]}`;
}

/** Where each column of the schema stands in the file. */
function findColumns(schema: TableSchema, header: readonly string[], source: string): ReadonlyMap<string, number> {
  const invalid = (what: string, hint: string): NexusError =>
    new NexusError("DATA_INVALID", `${source}: ${what}.`, { hint, details: { file: source } });
  const positions = new Map<string, number>();
  header.forEach((cell, position) => {
    const name = cell.trim();
    if (positions.has(name)) throw invalid(`two columns are called "${name}"`, "Rename one of them.");
    positions.set(name, position);
  });
  const declared = new Set(schema.columns.map(({ name }) => name));
  const unknown = [...positions.keys()].filter((name) => !declared.has(name));
  for (const { name, role } of schema.columns) {
    if (positions.has(name) || role === "ignore") continue;
    const meant = nearest(name, unknown);
    const guess = meant === undefined ? `it has: ${[...positions.keys()].slice(0, 20).join(", ")}` : `is it "${meant}" here?`;
    throw invalid(
      `the column "${name}" is missing (${guess})`,
      "Rename the column in the file or in the schema; a wrong delimiter also looks like this.",
    );
  }
  if (unknown.length > 0) {
    throw invalid(
      `the schema does not know the column${unknown.length > 1 ? "s" : ""} ${unknown
        .slice(0, 10)
        .map((name) => `"${name}"`)
        .join(", ")}`,
      'Declare it in the schema; the role "ignore" leaves it out.',
    );
  }
  return positions;
}
