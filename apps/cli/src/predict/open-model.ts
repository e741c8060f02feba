import { readModelCard, type UsableModel } from "@ciphernx/ai/models";
import type { Context } from "../context.ts";
import { isModelFile, readModelFiles } from "../model-files.ts";

/** A model that was found: its card, and its file where that is wanted. */
export interface OpenedModel {
  readonly card: UsableModel;
  readFile(): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Finds a model and hands it to `use`: a path that is there is a file with its card beside it, any other word the id of a model, or of the
 * run that made it, at the coordinator.
 * @throws NexusError MODEL_NOT_FOUND, MODEL_NOT_USABLE, SPEC_INVALID as `readModelFiles` and `readModelCard` do
 */
export async function openModel<T>(model: string, withNexus: Context["withNexus"], use: (opened: OpenedModel) => Promise<T>): Promise<T> {
  if (await isModelFile(model)) {
    const { file, card, cardFile } = await readModelFiles(model);
    return use({ card: readModelCard(card, cardFile), readFile: async () => file });
  }
  return withNexus(async (nexus) => {
    const known = await nexus.models.get(model);
    const card = readModelCard(JSON.parse(known.cardJson) as unknown, `The card of ${model}`);
    return use({ card, readFile: () => nexus.models.file(known) });
  });
}
