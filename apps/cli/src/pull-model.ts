import { resolve } from "node:path";
import { writeFile } from "node:fs/promises";
import type { Nexus } from "@ciphernx/ai/client";
import { formatBytes, type Output } from "./output/index.ts";
import { modelData } from "./views/models.ts";

/** Writes a model's safetensors file, and its card beside it, and says where they are. */
export async function pullModel(nexus: Nexus, id: string, written: string | undefined, output: Output): Promise<void> {
  const model = await nexus.models.get(id);
  const file = resolve(written ?? `${model.name}.safetensors`);
  const cardFile = `${file.replace(/\.safetensors$/, "")}.card.json`;
  const { card, ...data } = modelData(model);
  await writeFile(file, await nexus.models.file(model));
  await writeFile(cardFile, `${JSON.stringify(card, undefined, 2)}\n`);
  const text = `${file}  ${formatBytes(model.sizeBytes)}  sha-256 ${model.hash}\n${cardFile}`;
  output.result({ data: { model: data, file, cardFile }, text, ids: [model.id] });
}
