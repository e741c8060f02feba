import { NexusError } from "@ciphernx/core/errors";
import { argument, defineCommand, flag, requiredText, text } from "../../command.ts";

export const datasetTerms = defineCommand({
  name: "terms",
  summary: "Show or change what the owner of a dataset allows",
  details:
    "The node that holds the rows goes by these terms, whatever the coordinator says: a run that asks for more is refused before a row is read. A node that is running goes by changed terms from its next task on. docs/TERMS.md lists the terms.",
  arguments: { name: argument("<name>", "the dataset's name, as `nexus dataset add` was told") },
  options: {
    folder: requiredText("--folder <folder>", "the node's folder"),
    set: text("--set <file>", "YAML or JSON file with the terms that hold from now on, all of them"),
    remove: flag("--remove", "no terms from now on: every run is let in"),
  },
  examples: [
    { command: "nexus dataset terms visits --folder ./clinic-a" },
    { command: "nexus dataset terms visits --folder ./clinic-a --set terms.yaml" },
  ],
  async action({ args: { name: dataset }, options: { folder, set, remove }, output, confirm }) {
    if (set !== undefined && remove) throw new NexusError("USAGE", "--set and --remove exclude each other.", { hint: "Name one of them." });
    const [{ logDecision }, { readTerms, readTermsFile, setTerms }, { requireDescribed }] = await Promise.all([
      import("@ciphernx/ai/federation/node"),
      import("@ciphernx/ai/data/node"),
      import("./described-dataset.ts"),
    ]);
    await requireDescribed(dataset, folder);
    if (set !== undefined || remove) {
      const terms = set === undefined ? undefined : await readTermsFile(set);
      if (remove) await confirm(`Let every run learn from ${dataset}?`);
      await logDecision(folder, { act: "terms-changed", dataset, terms: terms ?? null });
      await setTerms(folder, dataset, terms);
    }
    const terms = await readTerms(folder, dataset);
    const lines = Object.entries(terms ?? {}).map(
      ([term, value]) => `${term.padEnd(16)}${Array.isArray(value) ? value.join(", ") || "(none)" : String(value)}`,
    );
    output.result({
      data: { dataset, terms: terms ?? null },
      text: terms === undefined ? `${dataset} has no terms: every run may learn from it.` : lines.join("\n"),
      ids: Object.keys(terms ?? {}),
    });
  },
});
