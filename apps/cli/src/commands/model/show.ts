import { argument, defineCommand } from "../../command.ts";
import { formatModel, modelData } from "../../views/models.ts";

export const modelShow = defineCommand({
  name: "show",
  summary: "Show a model and its card",
  arguments: { model: argument("<model>", "id of the model, or of the run that made it") },
  examples: [{ command: "nexus model show mdl_4kz7" }],
  async action({ args, output, withNexus }) {
    await withNexus(async (nexus) => {
      const model = await nexus.models.get(args.model);
      output.result({ data: { model: modelData(model) }, text: formatModel(model), ids: [model.id] });
    });
  },
});
