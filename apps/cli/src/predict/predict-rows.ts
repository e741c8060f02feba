import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { countMissing, listMissing } from "@ciphernx/ai/data";
import { loadRows } from "@ciphernx/ai/data/node";
import { createPredictor } from "@ciphernx/ai/models";
import { loadKernel } from "@ciphernx/ai/nn";
import { NexusError, plural } from "@ciphernx/core/errors";
import type { Context } from "../context.ts";
import { formatPredictions, namedPredictions, type PredictionFormat } from "./format-predictions.ts";
import { openModel } from "./open-model.ts";

/** What may be written after `nexus predict MODEL`. */
export interface PredictOptions {
  readonly data: readonly string[];
  readonly delimiter: string | undefined;
  readonly format: PredictionFormat | undefined;
  readonly output: string | undefined;
}

/** Judges the rows of files with a model, which is a file with its card beside it, or known to the coordinator. */
export async function predictRows(model: string, options: PredictOptions, { output, signal, withNexus }: Context): Promise<void> {
  const kernel = await loadKernel();
  const predictor = await openModel(model, withNexus, async ({ card, readFile }) => createPredictor(kernel, card, await readFile()));
  const { examples, ids } = await loadRows(predictor.schema, options.data, { delimiter: options.delimiter, signal });
  const missing = countMissing({ schema: predictor.schema, train: examples }).filter(({ column }) => !predictor.fills.has(column));
  if (missing.length > 0) {
    throw new NexusError(
      "DATA_INVALID",
      `The rows have missing cells in ${listMissing(missing)}; the model fills none there, and says nothing of such rows.`,
      {
        hint: "Fill in or remove those rows.",
        details: { missing: missing.slice(0, 100) },
      },
    );
  }
  const judged = { ids, classes: predictor.classes, predictions: predictor.predict(examples) };
  const file = options.output === undefined ? null : resolve(options.output);
  const text = formatPredictions(judged, options.format ?? formatOf(file));
  const count = judged.predictions.length;
  if (file !== null) await writeFile(file, text);
  output.result({
    data: { file, rows: count, classes: judged.classes, ...(file === null ? { predictions: namedPredictions(judged) } : {}) },
    text: file === null ? text.trimEnd() : `${file}  ${plural(count, "row")}`,
    ids: file === null ? text.trimEnd().split("\n") : [file],
  });
}

function formatOf(file: string | null): PredictionFormat {
  return file !== null && /\.(jsonl|ndjson)$/i.test(file) ? "jsonl" : "csv";
}
