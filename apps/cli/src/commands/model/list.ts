import { defineCommand } from "../../command.ts";
import { formatModels, modelData } from "../../views/models.ts";

export const modelList = defineCommand({
  name: "list",
  summary: "List the models that runs have made",
  examples: [{ command: "nexus model list" }],
  async action({ output, withNexus }) {
    await withNexus(async (nexus) => {
      const models = await nexus.models.list();
      output.result({ data: { models: models.map(modelData) }, text: formatModels(models), ids: models.map(({ id }) => id) });
    });
  },
});
