import { NexusError } from "@ciphernx/core/errors";
import { featureColumns, findLabel, type TableSchema, type ValueColumn } from "../../dataset-schema.ts";
import { invalidCell, requireValue, type Scalar, scalarReader } from "../../table/cell.ts";
import { type ColumnFacts, newFacts, note } from "../../table/column-facts.ts";
import { findColumns } from "../../table/find-columns.ts";
import { noRows, proposeSchema, type ProposeOptions } from "../../table/propose-schema.ts";
import type { TableRows } from "../../table/table-rows.ts";
import type { LoadOptions } from "../load-options.ts";
import { openParquet, type ParquetFile } from "./parquet-file.ts";

/** Values of a row group, all columns together, that are in memory at a time. */
const MAX_GROUP_VALUES = 2 ** 28;

/**
 * Adds the rows of a Parquet file to others. Columns are found by name; they are read one at a time, a row group at a time. Numbers,
 * booleans and texts are typed as their texts in CSV would be, null is missing; errors name file, row and column but quote no value.
 * @throws NexusError DATA_UNREADABLE, DATA_INVALID as `openParquet`; DATA_INVALID when columns are wrong or nested, or a value is not
 *   what its column declares.
 */
export async function readParquetInto(rows: TableRows, path: string, schema: TableSchema, { signal }: LoadOptions = {}): Promise<void> {
  await using file = await openParquet(path);
  findColumns(
    schema,
    file.columns.map(({ name }) => name),
    path,
    rows.kept,
  );
  const read = new Set(schema.columns.filter(({ role }) => role !== "ignore").map(({ name }) => name));
  refuseNested(file, path, (name) => read.has(name) || rows.kept.has(name));
  const features = featureColumns(schema);
  const before = rows.count;
  for (const [index, group] of file.rowGroups.entries()) {
    if (group.rows === 0) continue;
    signal?.throwIfAborted();
    if (group.rows * features.length > MAX_GROUP_VALUES) {
      throw new NexusError("DATA_INVALID", `${path} has a row group of ${group.rows} rows, too many for ${features.length} columns.`, {
        hint: "Write the file with smaller row groups.",
        details: { file: path },
      });
    }
    await readGroup(rows, file, schema, { path, index, ...group });
  }
  if (rows.count === before) throw noRows(path);
}

interface GroupPlace {
  readonly path: string;
  readonly index: number;
  readonly rows: number;
  readonly firstRow: number;
}

async function readGroup(rows: TableRows, file: ParquetFile, schema: TableSchema, { path, index, rows: count, firstRow }: GroupPlace): Promise<void> {
  const features = featureColumns(schema);
  const values = new Float32Array(count * features.length);
  const targets = new Float64Array(count);
  const typed = async (column: ValueColumn, into: Float32Array | Float64Array, from: number, step: number): Promise<void> => {
    const readValue = scalarReader(column);
    let at = from;
    let row = firstRow;
    for (const piece of await file.readColumn(index, column.name)) {
      for (let i = 0; i < piece.length; i += 1) {
        row += 1;
        const place = { source: path, row };
        into[at] = requireValue(readValue(plain(piece[i], column.name, place)), column, place);
        at += step;
      }
    }
  };
  for (const [i, column] of features.entries()) await typed(column, values, i, features.length);
  const label = findLabel(schema);
  if (label !== undefined) await typed(label, targets, 0, 1);
  for (const [name, texts] of rows.kept) {
    for (const piece of await file.readColumn(index, name)) {
      for (let i = 0; i < piece.length; i += 1) texts.push(String(plain(piece[i], name, { source: path, row: firstRow + i + 1 }) ?? "").trim());
    }
  }
  for (let done = 0; done < count;) {
    const block = rows.block();
    const some = Math.min(block.capacity - block.at, count - done);
    block.features.set(values.subarray(done * features.length, (done + some) * features.length), block.at * features.length);
    block.targets.set(targets.subarray(done, done + some), block.at);
    rows.advance(some);
    done += some;
  }
}

/** A value that a cell may hold; bytes without a meaning are none. */
function plain(value: unknown, column: string, place: { readonly source: string; readonly row: number }): Scalar {
  if (typeof value !== "object" || value === null) return value as Scalar;
  throw invalidCell(place, column, "the value is made of bytes; only numbers, booleans, texts, dates and times are read");
}

function refuseNested(file: ParquetFile, path: string, isRead: (name: string) => boolean): void {
  for (const { name, nested } of file.columns) {
    if (nested === undefined || !isRead(name)) continue;
    throw new NexusError("DATA_INVALID", `${path}: the column "${name}" holds ${nested}; nested columns are not read.`, {
      hint: 'Flatten it, or leave it out: the role "ignore".',
      details: { file: path, column: name },
    });
  }
}

/**
 * Proposes the schema of Parquet files of one form by reading them once, as `inferCsvSchema` does of CSV files.
 * @throws NexusError DATA_UNREADABLE, DATA_INVALID as `readParquetInto`; DATA_INVALID when the label is not there, or no schema can be made.
 */
export async function inferParquetFiles(paths: readonly string[], options: ProposeOptions & LoadOptions = {}): Promise<TableSchema> {
  const facts = new Map<string, ColumnFacts>();
  const ignored = new Set(options.ignore);
  let hasRows = false;
  for (const path of paths) {
    await using file = await openParquet(path);
    refuseNested(file, path, (name) => !ignored.has(name));
    for (const { name } of file.columns) {
      let column = facts.get(name);
      if (column === undefined) facts.set(name, (column = newFacts(name)));
      if (ignored.has(name)) continue;
      for (const [index, { firstRow, rows }] of file.rowGroups.entries()) {
        if (rows === 0) continue;
        options.signal?.throwIfAborted();
        hasRows = true;
        let row = firstRow;
        for (const piece of await file.readColumn(index, name)) {
          for (let i = 0; i < piece.length; i += 1) {
            row += 1;
            const value = plain(piece[i], name, { source: path, row });
            note(column, value === null || value === undefined ? "" : String(value).trim(), `${path}, row ${row}`);
          }
        }
      }
    }
  }
  if (!hasRows) throw noRows(paths[0]);
  return proposeSchema([...facts.values()], paths[0]!, options);
}
