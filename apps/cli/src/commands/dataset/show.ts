import { argument, defineCommand } from "../../command.ts";
import { datasetData, formatDataset } from "../../views/datasets.ts";

export const datasetShow = defineCommand({
  name: "show",
  summary: "Show the schema of a dataset, its counts and how much of it is missing",
  arguments: { dataset: argument("<dataset>", "id, or name@node") },
  examples: [{ command: "nexus dataset show digits@clinic-a" }],
  async action({ args, output, withNexus }) {
    await withNexus(async (nexus) => {
      const dataset = await nexus.datasets.get(args.dataset);
      output.result({ data: { dataset: datasetData(dataset) }, text: formatDataset(dataset), ids: [dataset.id] });
    });
  },
});
