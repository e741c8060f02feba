import { argument, choice, defineCommand, text } from "../../command.ts";

/** What a model can become. */
const FORMATS = ["onnx"] as const;

export const modelExport = defineCommand({
  name: "export",
  summary: "Write a pulled model in a format that other tools read",
  details:
    "ONNX runs in onnxruntime, in a browser too: rows go in as the dataset's schema has them, probabilities or values come out; where the run prepared its rows, that is part of the file, and a missing cell goes in as NaN. Tensors keep their names, so that the file can start another run. Nothing leaves this machine.",
  arguments: { model: argument("<model>", "a model file with its card beside it, as model pull and run pull write them") },
  options: {
    format: choice("--format <format>", "what to write", FORMATS, "onnx"),
    output: text("-o, --output <file>", "where to; what was there is replaced (default: beside the model, named .onnx)"),
  },
  examples: [{ command: "nexus model export visits.safetensors --format onnx --output visits.onnx" }],
  async action({ args, options, output }) {
    const { exportModel } = await import("../../export-model.ts");
    await exportModel(args.model, options, output);
  },
});
