import { randomStream } from "../random/index.ts";
import { createDataset, type Dataset } from "./dataset.ts";
import type { DatasetSchema } from "./dataset-schema.ts";
import type { HoldOut } from "./descriptor.ts";
import { allocateExamples, copyRows, type Examples, viewExamples } from "./examples.ts";
import { holdOutRows } from "./hold-out.ts";
import { partition, type PartitionOptionsInput } from "./partition/index.ts";
import { partyNames } from "./party-names.ts";
import { rowColumn } from "./row-column.ts";

export interface SplitOptions {
  /** Names of the parties, or how many. */
  readonly parties: readonly string[] | number;
  /** How the training rows are split. */
  readonly partition: PartitionOptionsInput;
  readonly seed: number;
  /** Training rows of a party at most, drawn at random from its part; default all. */
  readonly examplesPerParty?: number;
  /** Each party's own rows to hold out, where the dataset has no test rows; as its node would with the same descriptor. Default none. */
  readonly holdOut?: HoldOut | undefined;
  /** Keep the rows in memory that other threads can read. Default false. */
  readonly shared?: boolean;
}

/** One party's part. */
export interface PartyDataset {
  readonly party: string;
  readonly dataset: Dataset;
}

/**
 * Splits a dataset among parties in memory: the training rows by the partitioner, the test rows at random in equal parts,
 * so that together the parties hold the whole test set. All parties' rows lie in one buffer each for features and targets
 * (one copy of the rows in all); a party's `Examples` are views of it. Writing the parts to folders and loading them again
 * gives datasets of the same content hash.
 * @throws NexusError DATA_INVALID when there are too few rows for so many parties.
 */
export function splitDataset(dataset: Dataset, options: SplitOptions): readonly PartyDataset[] {
  const { schema, train, test } = dataset;
  const parties = typeof options.parties === "number" ? partyNames(options.parties) : options.parties;
  const rows = partition(train.targets, parties, options.partition, options.seed, (name) => rowColumn(dataset, name)).map((part, i) =>
    limit(part, parties[i]!, options),
  );
  const trainParts = gatherParts(schema, train, rows, options);
  const { holdOut } = options;
  if (test === undefined && holdOut !== undefined) {
    return parties.map((party, i) => {
      const held = holdOutRows(schema, trainParts[i]!, holdOut, options);
      return { party, dataset: createDataset(schema, held.train, held.test) };
    });
  }
  const testParts = test === undefined ? undefined : gatherParts(schema, test, dealTest(test.count, parties, options.seed), options);
  return parties.map((party, i) => ({ party, dataset: createDataset(schema, trainParts[i]!, testParts?.[i]) }));
}

/** A random sample of a party's rows where it has more than the limit. */
function limit(rows: Uint32Array, party: string, { examplesPerParty, seed }: SplitOptions): Uint32Array {
  if (examplesPerParty === undefined || rows.length <= examplesPerParty) return rows;
  return randomStream(seed, "split", "limit", party).shuffle(rows.slice()).slice(0, examplesPerParty).toSorted();
}

/** The test rows of each party. Unlike training rows they may be fewer than the parties: then some get none. */
function dealTest(count: number, parties: readonly string[], seed: number): readonly Uint32Array[] {
  const order = randomStream(seed, "split", "test").shuffle(Uint32Array.from({ length: count }, (_, row) => row));
  const ranked = new Map(parties.toSorted().map((party, rank) => [party, rank]));
  const cut = (rank: number): number => Math.floor((rank * count) / parties.length);
  return parties.map((party) => order.slice(cut(ranked.get(party)!), cut(ranked.get(party)! + 1)).toSorted());
}

function gatherParts(schema: DatasetSchema, from: Examples, parts: readonly Uint32Array[], { shared = false }: SplitOptions): readonly Examples[] {
  const all = allocateExamples(
    schema,
    parts.reduce((sum, rows) => sum + rows.length, 0),
    { shared },
  );
  let at = 0;
  return parts.map((rows) => {
    const start = at;
    copyRows(from, rows, all, start);
    at += rows.length;
    return viewExamples(all, start, at);
  });
}
