import { argument, defineCommand, text } from "../../command.ts";
import { pullModel } from "../../pull-model.ts";
import { RUN_WORD, runId } from "../../runs/run-id.ts";

export const runPull = defineCommand({
  name: "pull",
  summary: "Write the model that a run made to a file",
  arguments: { run: argument("<run>", RUN_WORD) },
  options: { output: text("-o, --output <file>", "where to (default: the model's name in this folder)") },
  examples: [{ command: "nexus run pull run_4kz7 --output model.safetensors" }],
  async action({ args, options, output, withNexus }) {
    await withNexus(async (nexus) => pullModel(nexus, await runId(nexus, args.run), options.output, output));
  },
});
