import { writeFile } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { readModelCard } from "@ciphernx/ai/models";
import { exportModelFile } from "@ciphernx/ai/onnx";
import { NexusError } from "@ciphernx/core/errors";
import { readModelFiles } from "./model-files.ts";
import { formatBytes, type Output } from "./output/index.ts";

/** What may be written after `nexus model export MODEL`. */
export interface ExportModelOptions {
  readonly format: "onnx";
  readonly output: string | undefined;
}

/** How files of each format are called. */
const ENDINGS: Readonly<Record<ExportModelOptions["format"], string>> = { onnx: ".onnx" };

/** Writes a model file and its card as one file of another format. */
export async function exportModel(modelFile: string, options: ExportModelOptions, output: Output): Promise<void> {
  if (options.output !== undefined && extname(options.output).toLowerCase() !== ENDINGS[options.format]) {
    throw new NexusError("USAGE", `${options.output} would not be known as ${options.format.toUpperCase()} by its name.`, {
      hint: `Let the name end in ${ENDINGS[options.format]}.`,
    });
  }
  const { file, card, cardFile } = await readModelFiles(modelFile);
  const model = readModelCard(card, cardFile);
  const exported = exportModelFile(model, file, basename(cardFile));
  const written = resolve(options.output ?? `${modelFile.replace(/\.safetensors$/, "")}.onnx`);
  await writeFile(written, exported);
  output.result({
    data: { file: written, format: options.format, model: model.hash, sizeBytes: exported.length },
    text: `${written}  ${formatBytes(exported.length)}`,
    ids: [written],
  });
}
