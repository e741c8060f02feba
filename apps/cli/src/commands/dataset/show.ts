import { NexusError } from "@ciphernx/core/errors";
import { argument, defineCommand, text } from "../../command.ts";
import { datasetData, formatDataset } from "../../views/datasets.ts";

export const datasetShow = defineCommand({
  name: "show",
  summary: "Show the schema of a dataset, its counts and how much of it is missing, or how it differs from what a model learnt",
  details:
    "With --model and --folder it compares the rows of a node's dataset, where they lie, with the counts that the model's card keeps of all rows that it learnt from: by column the population stability index (PSI: below 0.1 hardly a difference, to 0.25 some, above it a large one), what is missing, means and categories, then and now. CHANCE is what PSI stays below in 19 of 20 draws of so many rows without any drift. `--quiet` names the columns that drifted far. Nothing leaves the node.",
  arguments: { dataset: argument("<dataset>", "id, or name@node; with --folder the dataset's name there") },
  options: {
    model: text("--model <model>", "a model file with its card beside it, or the id of a model or of the run that made it"),
    folder: text("--folder <folder>", "with --model: the node's folder, as `nexus dataset add` was told"),
  },
  examples: [
    { command: "nexus dataset show digits@clinic-a" },
    {
      command: "nexus dataset show visits --folder ./clinic-a --model visits.safetensors",
      about: "have the rows drifted from those it learnt from?",
    },
  ],
  async action({ args, options: { model, folder }, output, signal, withNexus }) {
    if (model !== undefined && folder !== undefined) {
      const { showDrift } = await import("./show-drift.ts");
      await showDrift({ dataset: args.dataset, folder, model }, { output, signal, withNexus });
      return;
    }
    if (model !== undefined || folder !== undefined) {
      const [named, other] = model === undefined ? ["--folder", "--model <model>"] : ["--model", "--folder <folder>"];
      throw new NexusError("USAGE", `${named} goes together with ${other}.`, {
        hint: "A model is compared with the rows of a node's folder: name both, or neither.",
      });
    }
    await withNexus(async (nexus) => {
      const dataset = await nexus.datasets.get(args.dataset);
      output.result({ data: { dataset: datasetData(dataset) }, text: formatDataset(dataset), ids: [dataset.id] });
    });
  },
});
