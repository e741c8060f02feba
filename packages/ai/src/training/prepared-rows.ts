import { NexusError } from "@ciphernx/core/errors";
import type { Dataset } from "../data/index.ts";
import { prepareExamples, type Preprocessing } from "../data/preprocess/index.ts";
import { isOfSchema } from "../data/preprocess/preprocessing.ts";

/** A dataset's rows as a model takes them, training and held out. */
export type PreparedRows = Pick<Dataset, "train" | "test">;

/** Rows that were prepared, once for all rounds of a run. */
export interface PreparedRowsCache {
  /** @throws NexusError DATA_INVALID for a missing cell that nothing stands in for, or preprocessing of other columns than the dataset has */
  of(dataset: Dataset, preprocessing: Preprocessing, name: string): PreparedRows;
}

/** Keeps for each dataset the rows of the last preprocessing: the next round has the same, a next run other ones. */
export function createPreparedRows(): PreparedRowsCache {
  const kept = new WeakMap<Dataset, { readonly text: string; readonly rows: PreparedRows }>();
  return {
    of(dataset, preprocessing, name) {
      const text = JSON.stringify(preprocessing);
      const known = kept.get(dataset);
      if (known?.text === text) return known.rows;
      const { train, test, schema } = dataset;
      if (!isOfSchema(preprocessing, schema)) throw new NexusError("DATA_INVALID", `${name} has other columns than those that are to be prepared.`);
      const rows = {
        train: prepareExamples(preprocessing, train, name),
        ...(test === undefined ? {} : { test: prepareExamples(preprocessing, test, `${name}, held out`) }),
      };
      kept.set(dataset, { text, rows });
      return rows;
    },
  };
}
