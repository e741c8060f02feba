import { NexusError } from "@ciphernx/core/errors";
import type { ByteChunks } from "../csv/csv-records.ts";
import { featureColumns, findLabel, type TableSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import { invalidCell, requireValue, type Scalar, scalarReader } from "../table/cell.ts";
import { unknownColumns } from "../table/find-columns.ts";
import { createTableRows, type TableRows } from "../table/table-rows.ts";
import { type JsonlOptions, type JsonRow, nestedKind, readJsonRows } from "./json-rows.ts";

/**
 * Rows of a JSONL file as its schema types them. Keys are found by name, in any order; a feature that is null or not there is
 * missing (NaN), a missing label is an error. A text that spells a number is one, as in CSV. Errors name file, line and column but
 * never quote a value.
 * @throws NexusError DATA_INVALID when a line is not an object, has a key that the schema does not know, a nested value, or a value
 *   that is not what its column declares.
 */
export async function readJsonlExamples(chunks: ByteChunks, schema: TableSchema, options: JsonlOptions = {}): Promise<Examples> {
  const rows = createTableRows(schema);
  await readJsonlInto(rows, chunks, schema, options);
  return rows.finish();
}

/** Adds the rows of a JSONL file to others; errors as `readJsonlExamples`. */
export async function readJsonlInto(rows: TableRows, chunks: ByteChunks, schema: TableSchema, options: JsonlOptions = {}): Promise<void> {
  const { source = "the file" } = options;
  const write = rowWriter(schema, source, rows);
  const before = rows.count;
  for await (const some of readJsonRows(chunks, options)) for (const row of some) write(row);
  if (rows.count === before) {
    throw new NexusError("DATA_INVALID", `${source} holds no rows.`, { hint: "A dataset has at least one row.", details: { file: source } });
  }
}

function rowWriter(schema: TableSchema, source: string, rows: TableRows): (row: JsonRow) => void {
  const features = featureColumns(schema).map((column) => ({ column, read: scalarReader(column) }));
  const column = findLabel(schema);
  const label = column === undefined ? undefined : { column, read: scalarReader(column) };
  const declared = new Set(schema.columns.map(({ name }) => name));
  const ignored = new Set(schema.columns.filter(({ name, role }) => role === "ignore" && !rows.kept.has(name)).map(({ name }) => name));

  return ({ line, values }) => {
    const place = { source, unit: "line", row: line } as const;
    for (const name of Object.keys(values)) {
      if (!declared.has(name)) {
        throw new NexusError("DATA_INVALID", `${source}, line ${line}: ${unknownColumns([name])}.`, {
          hint: 'Declare it in the schema; the role "ignore" leaves it out.',
          details: { file: source, line },
        });
      }
      const kind = ignored.has(name) ? undefined : nestedKind(values[name]);
      if (kind !== undefined) throw invalidCell(place, name, `the value is ${kind}; nested values are not read`);
    }
    const value = (name: string): Scalar => (Object.hasOwn(values, name) ? (values[name] as Scalar) : undefined);
    const block = rows.block();
    const start = block.at * features.length;
    for (let i = 0; i < features.length; i += 1) {
      const { column, read } = features[i]!;
      block.features[start + i] = requireValue(read(value(column.name)), column, place);
    }
    if (label !== undefined) block.targets[block.at] = requireValue(label.read(value(label.column.name)), label.column, place);
    for (const [name, texts] of rows.kept) texts.push(String(value(name) ?? "").trim());
    rows.advance(1);
  };
}
