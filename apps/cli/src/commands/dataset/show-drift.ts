import { measureDrift } from "@ciphernx/ai/data";
import { descriptorPath, loadDataset } from "@ciphernx/ai/data/node";
import { NexusError } from "@ciphernx/core/errors";
import type { Context } from "../../context.ts";
import { openModel } from "../../predict/open-model.ts";
import { formatDrift } from "../../views/drift.ts";
import { requireDescribed } from "./described-dataset.ts";

/** What is compared: the rows of a node's dataset, and a model. */
export interface DriftQuestion {
  readonly dataset: string;
  readonly folder: string;
  readonly model: string;
}

/** Compares a node's rows with those that a model learnt from, on this machine. */
export async function showDrift(
  { dataset, folder, model }: DriftQuestion,
  { output, signal, withNexus }: Pick<Context, "output" | "signal" | "withNexus">,
) {
  await requireDescribed(dataset, folder);
  const { name, hash, schema, preprocessing } = await openModel(model, withNexus, async ({ card }) => card);
  if (preprocessing === undefined) {
    throw new NexusError(
      "MODEL_NOT_USABLE",
      `The card of "${name}" keeps nothing of the rows that it learnt from, so that others could be compared with them.`,
      {
        hint: "Runs with a preprocess section keep counts and sums of all parties' rows.",
        details: { model: name },
      },
    );
  }
  const { schema: own, train, test } = await loadDataset(descriptorPath(folder, dataset), { signal });
  const drift = measureDrift({ schema, preprocessing }, own, test === undefined ? [train] : [train, test]);
  output.result({
    data: { dataset, model: { name, hash }, drift },
    text: formatDrift(drift, { dataset, model: name }),
    ids: drift.columns.filter(({ band, missing }) => band === "large" || missing.band === "large").map(({ column }) => column),
  });
}
