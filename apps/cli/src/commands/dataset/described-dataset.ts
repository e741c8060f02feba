import { listDescriptors } from "@ciphernx/ai/data/node";
import { NexusError } from "@ciphernx/core/errors";
import { nearest } from "@ciphernx/core/spec";

/** Looks that a node's folder describes a dataset. @throws NexusError DATASET_NOT_FOUND naming those that it does describe */
export async function requireDescribed(dataset: string, folder: string): Promise<void> {
  const names = await listDescriptors(folder);
  if (names.includes(dataset)) return;
  const meant = nearest(dataset, names);
  throw new NexusError(
    "DATASET_NOT_FOUND",
    `The folder ${folder} describes no dataset "${dataset}"${meant === undefined ? "" : `; is it "${meant}"?`}`,
    {
      hint: names.length === 0 ? "`nexus dataset add` describes one there." : `It describes: ${names.slice(0, 20).join(", ")}.`,
      details: { folder, names: names.slice(0, 100) },
    },
  );
}
