import { resolve } from "node:path";
import type { Nexus } from "@ciphernx/ai/client";
import { writeModelFiles } from "./model-files.ts";
import { formatBytes, type Output } from "./output/index.ts";
import { modelData } from "./views/models.ts";

/** Writes a model's safetensors file, and its card beside it, and says where they are. */
export async function pullModel(nexus: Nexus, id: string, written: string | undefined, output: Output): Promise<void> {
  const model = await nexus.models.get(id);
  const file = resolve(written ?? `${model.name}.safetensors`);
  const { card, ...data } = modelData(model);
  const cardFile = await writeModelFiles(file, await nexus.models.file(model), card);
  const text = `${file}  ${formatBytes(model.sizeBytes)}  sha-256 ${model.hash}\n${cardFile}`;
  output.result({ data: { model: data, file, cardFile }, text, ids: [model.id] });
}
