import { NexusError } from "@ciphernx/core/errors";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { loadModel, type UsableModel } from "../models/index.ts";
import { networkLayout } from "../nn/index.ts";
import { exportOnnx } from "./export-onnx.ts";

/**
 * Writes a model that was pulled as an ONNX model, see `exportOnnx`.
 * @param file the model's safetensors file
 * @param card where its card is found, for example the file's name
 * @throws NexusError MODEL_NOT_USABLE when the file is not the one of the card, or does not fit the card's network
 */
export function exportModelFile(model: UsableModel, file: Uint8Array<ArrayBuffer>, card?: string): Uint8Array<ArrayBuffer> {
  const { name, hash, network, schema, preprocessing } = model;
  const found = bytesToHex(sha256(file));
  if (found !== hash) {
    throw new NexusError("MODEL_NOT_USABLE", `The file has the SHA-256 ${found}; the card of "${name}" is of ${hash}.`, {
      hint: "Pull model and card again: `nexus model pull` writes both.",
      details: { model: name, found, expected: hash },
    });
  }
  const { parameters } = loadModel(file, networkLayout(network).entries);
  return exportOnnx({
    network,
    parameters,
    name,
    schema,
    ...(preprocessing === undefined ? {} : { preprocessing }),
    ...(card === undefined ? {} : { card }),
  });
}
