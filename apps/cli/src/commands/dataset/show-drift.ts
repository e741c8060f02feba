import { measureDrift } from "@ciphernx/ai/data";
import { descriptorPath, listDescriptors, loadDataset } from "@ciphernx/ai/data/node";
import { NexusError } from "@ciphernx/core/errors";
import { nearest } from "@ciphernx/core/spec";
import type { Context } from "../../context.ts";
import { openModel } from "../../predict/open-model.ts";
import { formatDrift } from "../../views/drift.ts";

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
  const names = await listDescriptors(folder);
  if (!names.includes(dataset)) throw unknownDataset(dataset, folder, names);
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

function unknownDataset(dataset: string, folder: string, names: readonly string[]): NexusError {
  const meant = nearest(dataset, names);
  return new NexusError(
    "DATASET_NOT_FOUND",
    `The folder ${folder} describes no dataset "${dataset}"${meant === undefined ? "" : `; is it "${meant}"?`}`,
    {
      hint: names.length === 0 ? "`nexus dataset add` describes one there." : `It describes: ${names.slice(0, 20).join(", ")}.`,
      details: { folder, names: names.slice(0, 100) },
    },
  );
}
