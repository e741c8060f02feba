/**
 * The natural split: rows belong together as they were gathered, by hospital, device or person, and a party gets whole groups.
 *
 * Source: Caldas et al., "LEAF: a benchmark for federated settings", 2018, §3, whose data sets are split by who wrote a text or drew
 * a letter.
 *
 * @module
 */
import { NexusError, plural } from "@ciphernx/core/errors";
import { z } from "zod";
import { compareNames } from "../../tensor/index.ts";
import { definePartitioner } from "./partitioner.ts";

export const natural = definePartitioner({
  schema: z.strictObject({
    kind: z.literal("natural").describe("Rows with one value in a column stay together"),
    column: z.string().min(1).max(256).describe("The column that says whose row it is; of any role"),
  }),
  rowsNeeded: (_options, parties) => parties,
  partition({ parties, options, columns, stream }) {
    const groups = groupRows(columns(options.column), options.column);
    if (groups.length < parties) {
      throw new NexusError(
        "DATA_INVALID",
        `The column "${options.column}" has ${plural(groups.length, "value")}, too few for ${plural(parties, "party", "parties")}.`,
        {
          hint: "Choose as many parties as there are values, or fewer.",
          details: { column: options.column, values: groups.length, parties },
        },
      );
    }
    // As many values as parties: the first value is the first party's, so that names can be chosen to fit.
    if (groups.length === parties) return groups.map(({ rows }) => Uint32Array.from(rows));
    const parts = Array.from({ length: parties }, (): number[] => []);
    for (const { rows } of byFalling(stream("groups").shuffle([...groups]))) {
      const part = smallest(parts);
      for (const row of rows) part.push(row);
    }
    return parts.map((rows) => Uint32Array.from(rows));
  },
});

interface Group {
  readonly name: string;
  readonly rows: number[];
}

/** The rows of each value, values sorted. */
function groupRows(values: ArrayLike<string | number>, column: string): readonly Group[] {
  const groups = new Map<string, Group>();
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row]!;
    if (value === "" || Number.isNaN(value)) {
      throw new NexusError("DATA_INVALID", `Row ${row + 1} has no value in the column "${column}", by which the rows are split.`, {
        hint: "Fill it in, or remove the row.",
        details: { column, row: row + 1 },
      });
    }
    const name = String(value);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { name, rows: [row] });
    else group.rows.push(row);
  }
  return [...groups.values()].toSorted((a, b) => compareNames(a.name, b.name));
}

/** Largest groups first, those of one size as they came: then the parties' sizes come out as even as whole groups allow. */
function byFalling(groups: readonly Group[]): readonly Group[] {
  return groups.toSorted((a, b) => b.rows.length - a.rows.length);
}

function smallest(parts: readonly number[][]): number[] {
  return parts.reduce((least, part) => (part.length < least.length ? part : least));
}
