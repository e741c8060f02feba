import { NexusError } from "@ciphernx/core/errors";
import type { Dataset } from "./dataset.ts";
import { featureColumns, labelColumn, type ValueColumn } from "./dataset-schema.ts";

/**
 * The values of a column for each training row: texts that were kept when the data was loaded, else a feature's or the label's values, a
 * category by its name. NaN or the empty text where there is none.
 * @throws NexusError DATA_INVALID when there is no such column, or its texts were not kept.
 */
export function rowColumn({ schema, train, columns }: Dataset, name: string): ArrayLike<string | number> {
  const kept = columns?.get(name);
  if (kept !== undefined) return kept;
  const declared = schema.kind === "table" ? schema.columns : [];
  const column = declared.find((one) => one.name === name);
  if (schema.kind !== "table" || column === undefined) {
    const names = declared.map((one) => one.name).slice(0, 20);
    throw new NexusError("DATA_INVALID", `The data has no column "${name}" to be split by.`, {
      hint: names.length === 0 ? 'Its rows have no named columns: split by "iid", "shards" or "dirichlet".' : `Its columns are: ${names.join(", ")}.`,
      details: { column: name },
    });
  }
  const label = labelColumn(schema);
  if (label.name === name) return Array.from(train.targets, (value) => nameOf(label, value));
  const features = featureColumns(schema);
  const at = features.findIndex((one) => one.name === name);
  if (at === -1) {
    throw new NexusError("DATA_INVALID", `The texts of the column "${name}" were not kept when the data was loaded.`, {
      hint: "Name the column among those to keep.",
      details: { column: name },
    });
  }
  return Array.from({ length: train.count }, (_, row) => nameOf(features[at]!, train.features[row * features.length + at]!));
}

function nameOf(column: ValueColumn, value: number): string | number {
  if (column.type === "number") return value;
  return column.categories[value] ?? (Number.isNaN(value) ? "" : (column.undeclared ?? ""));
}
