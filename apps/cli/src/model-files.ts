import { readFile, stat, writeFile } from "node:fs/promises";
import { NexusError } from "@ciphernx/core/errors";

/** Where the card of a model file lies: beside it, under its name. */
export function cardPath(modelFile: string): string {
  return `${modelFile.replace(/\.safetensors$/, "")}.card.json`;
}

/**
 * Whether a word on the command line names a model file; else it is an id at the coordinator.
 * @throws NexusError MODEL_NOT_FOUND for a path at which there is no file
 */
export async function isModelFile(model: string): Promise<boolean> {
  const isFile = await stat(model).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile && /[/\\.]/.test(model)) {
    throw new NexusError("MODEL_NOT_FOUND", `There is no model file ${model}.`, { hint: "`nexus model pull` and `nexus run pull` write one." });
  }
  return isFile;
}

/** Writes a model with its card beside it. @returns where the card is */
export async function writeModelFiles(modelFile: string, file: Uint8Array, card: unknown): Promise<string> {
  const cardFile = cardPath(modelFile);
  await writeFile(modelFile, file);
  await writeFile(cardFile, `${JSON.stringify(card, undefined, 2)}\n`);
  return cardFile;
}

/**
 * Reads a model with its card, as `writeModelFiles` leaves them.
 * @throws NexusError MODEL_NOT_FOUND when there is no such file; MODEL_NOT_USABLE when there is no card, or it is not JSON
 */
export async function readModelFiles(
  modelFile: string,
): Promise<{ readonly file: Uint8Array<ArrayBuffer>; readonly card: unknown; readonly cardFile: string }> {
  const file = await readFile(modelFile).catch((cause: unknown) => {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    throw new NexusError("MODEL_NOT_FOUND", `There is no model file ${modelFile}.`, {
      hint: `A model that the coordinator keeps is pulled first: \`nexus model pull ${/^(mdl|run)_/.test(modelFile) ? modelFile : "ID"}\`.`,
      cause,
    });
  });
  const cardFile = cardPath(modelFile);
  try {
    return {
      file: new Uint8Array(file.buffer, file.byteOffset, file.length),
      card: JSON.parse(await readFile(cardFile, "utf8")) as unknown,
      cardFile,
    };
  } catch (cause) {
    throw new NexusError("MODEL_NOT_USABLE", `The card of ${modelFile} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, {
      hint: `\`nexus model pull\` and \`nexus run pull\` write it as ${cardFile}.`,
      details: { file: cardFile },
      cause,
    });
  }
}
