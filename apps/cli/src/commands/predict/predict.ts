import { argument, choice, defineCommand, text, texts } from "../../command.ts";
import { PREDICTION_FORMATS } from "../../predict/format-predictions.ts";

export const predict = defineCommand({
  name: "predict",
  summary: "Judge rows with a model",
  details:
    "The rows have the columns of the data that the model learnt from; the label may be left out. A missing cell is filled as the model learnt to (`nexus model show` says with what), or refused where it learnt none. One line a row: the columns that name it (role id) or its number, the prediction, and how probable each class is. Nothing leaves this machine.",
  arguments: { model: argument("<model>", "a model file with its card beside it, or the id of a model or of the run that made it") },
  options: {
    data: texts("--data <file...>", "rows: CSV, JSONL or Parquet; for tensors one NPY or IDX file of features"),
    delimiter: text("--delimiter <character>", "what stands between the cells of CSV"),
    format: choice("--format <format>", "what to write; default: by the output's name, else csv", PREDICTION_FORMATS, undefined),
    output: text("-o, --output <file>", "where to (default: standard output)"),
  },
  examples: [
    { command: "nexus predict visits.safetensors --data new-visits.csv" },
    { command: "nexus predict run_4kz7 --data march.parquet april.parquet --output judged.jsonl", about: "with the model of a run" },
  ],
  async action({ args, options, ...context }) {
    const { predictRows } = await import("../../predict/predict-rows.ts");
    await predictRows(args.model, options, context);
  },
});
