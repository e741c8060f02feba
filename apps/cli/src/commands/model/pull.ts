import { argument, defineCommand, text } from "../../command.ts";
import { pullModel } from "../../pull-model.ts";

export const modelPull = defineCommand({
  name: "pull",
  summary: "Write a model and its card to files",
  arguments: { model: argument("<model>", "id of the model, or of the run that made it") },
  options: { output: text("-o, --output <file>", "where to (default: the model's name in this folder)") },
  examples: [{ command: "nexus model pull mdl_4kz7 --output model.safetensors" }],
  async action({ args, options, output, withNexus }) {
    await withNexus(async (nexus) => pullModel(nexus, args.model, options.output, output));
  },
});
