import { NexusError } from "@ciphernx/core/errors";
import { nearest } from "@ciphernx/core/spec";
import type { TableSchema } from "../dataset-schema.ts";

/** Names that one message lists. */
const LISTED = 20;

/**
 * Where each column of the schema stands in a file.
 * @param header The file's column names.
 * @param kept Columns that are read whatever their role.
 * @throws NexusError DATA_INVALID when a column is missing (unless it is ignored), is there twice, or the schema does not know it.
 */
export function findColumns(
  schema: TableSchema,
  header: readonly string[],
  source: string,
  kept: ReadonlyMap<string, unknown> = new Map(),
): ReadonlyMap<string, number> {
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
    if (positions.has(name) || (role === "ignore" && !kept.has(name))) continue;
    const meant = nearest(name, unknown);
    const guess = meant === undefined ? `it has: ${[...positions.keys()].slice(0, LISTED).join(", ")}` : `is it "${meant}" here?`;
    throw invalid(
      `the column "${name}" is missing (${guess})`,
      "Rename the column in the file or in the schema; a wrong delimiter also looks like this.",
    );
  }
  if (unknown.length > 0) throw invalid(unknownColumns(unknown), 'Declare it in the schema; the role "ignore" leaves it out.');
  return positions;
}

/** The words for columns that the schema does not know. */
export function unknownColumns(names: readonly string[]): string {
  return `the schema does not know the column${names.length > 1 ? "s" : ""} ${names
    .slice(0, 10)
    .map((name) => `"${name}"`)
    .join(", ")}`;
}
