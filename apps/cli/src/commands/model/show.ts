import { argument, defineCommand } from "../../command.ts";
import { formatModel, formatModelFile, modelData, parentModel } from "../../views/models.ts";

export const modelShow = defineCommand({
  name: "show",
  summary: "Show a model and its card: where it comes from, how it was made and how well it did",
  arguments: { model: argument("<model>", "a model file with its card beside it, or the id of a model or of the run that made it") },
  examples: [
    { command: "nexus model show mdl_4kz7" },
    { command: "nexus model show visits.safetensors" },
    { command: "nexus model show run_4kz7 --json | jq .data.model.card.lineage" },
  ],
  async action({ args, output, withNexus }) {
    const { isModelFile, readModelFiles } = await import("../../model-files.ts");
    if (await isModelFile(args.model)) {
      const { card, file } = await readModelFiles(args.model);
      const model = { file: args.model, sizeBytes: file.length, card };
      return output.result({ data: { model, parent: null }, text: formatModelFile(model), ids: [args.model] });
    }
    await withNexus(async (nexus) => {
      const model = await nexus.models.get(args.model);
      const parent = parentModel(model, await nexus.models.list());
      output.result({ data: { model: modelData(model), parent: parent?.id ?? null }, text: formatModel(model, parent), ids: [model.id] });
    });
  },
});
