import { NexusError, plural } from "@ciphernx/core/errors";
import { parseDocumentWith } from "@ciphernx/core/spec";
import { z } from "zod";
import { randomStream } from "../../random/index.ts";
import { compareNames } from "../../tensor/index.ts";
import { partyNames } from "../party-names.ts";
import { dirichlet } from "./dirichlet.ts";
import { iid } from "./iid.ts";
import { natural } from "./natural.ts";
import type { PartitionInput, Partitioner } from "./partitioner.ts";
import { quantitySkew } from "./quantity-skew.ts";
import { shards } from "./shards.ts";
import { time } from "./time.ts";

export type { Partitioner, PartitionInput } from "./partitioner.ts";

/** All partitioners by kind. A new one is one file beside this one, one name here and in the schema. */
export const partitioners = { iid, shards, dirichlet, natural, "quantity-skew": quantitySkew, time } as const;

/** How rows are split among parties. */
export const partitionSchema = z
  .discriminatedUnion("kind", [iid.schema, shards.schema, dirichlet.schema, natural.schema, quantitySkew.schema, time.schema])
  .describe("How rows are split among the parties");

export type PartitionOptions = z.output<typeof partitionSchema>;
/** The same before defaults are filled in. */
export type PartitionOptionsInput = z.input<typeof partitionSchema>;

/**
 * Splits rows among parties: every row goes to exactly one party, rows ascending within a party. The result is a function
 * of labels, set of party names, options and seed: the same party gets the same rows in whatever order parties are named.
 *
 * @param labels The label of each row.
 * @param parties Names, or how many (then `partyNames(count)`).
 * @param columns The values of a column by name, for the splits that go by one.
 * @returns The rows of each party, in the order of `parties`.
 * @throws NexusError DATA_INVALID when there are more parties, shards or demanded rows than rows; SPEC_INVALID when the options are wrong.
 */
export function partition(
  labels: ArrayLike<number>,
  parties: readonly string[] | number,
  options: PartitionOptionsInput,
  seed: number,
  columns: PartitionInput<unknown>["columns"] = noColumns,
): Uint32Array[] {
  const filled = parseDocumentWith(partitionSchema, options, "The split");
  const names = typeof parties === "number" ? partyNames(parties) : parties;
  const ranked = names.toSorted(compareNames);
  const chosen: Partitioner = partitioners[filled.kind];
  const needed = chosen.rowsNeeded(filled, names.length);
  if (names.length === 0 || new Set(names).size !== names.length) {
    throw new NexusError("DATA_INVALID", "Rows are split among at least one party, and no two may have one name.", { hint: "Name each party once." });
  }
  if (labels.length < needed) {
    throw new NexusError(
      "DATA_INVALID",
      `${plural(labels.length, "row")} cannot be split by "${filled.kind}" among ${plural(names.length, "party", "parties")}: that takes at least ${needed}.`,
      {
        hint: "Choose fewer parties, or take more data.",
      },
    );
  }
  const stream = (...purpose: readonly (string | number)[]) => randomStream(seed, "partition", filled.kind, ...purpose);
  const parts = chosen.partition({ labels, parties: names.length, options: filled, columns, stream });
  const rankOf = new Map(ranked.map((name, rank) => [name, rank]));
  return names.map((name) => parts[rankOf.get(name)!]!.toSorted());
}

function noColumns(name: string): never {
  throw new NexusError("DATA_INVALID", `The rows have no column "${name}" to be split by.`, {
    hint: 'Split by a column that the data has, or by "iid", "shards" or "dirichlet".',
    details: { column: name },
  });
}
