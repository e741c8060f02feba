import { defineCommand } from "../../command.ts";
import { datasetData, formatDatasets } from "../../views/datasets.ts";

export const datasetList = defineCommand({
  name: "list",
  summary: "List the datasets that nodes have registered",
  examples: [{ command: "nexus dataset list" }],
  async action({ output, withNexus }) {
    await withNexus(async (nexus) => {
      const datasets = await nexus.datasets.list();
      output.result({ data: { datasets: datasets.map(datasetData) }, text: formatDatasets(datasets), ids: datasets.map(({ id }) => id) });
    });
  },
});
