import { argument, defineCommand, requiredText } from "../../command.ts";

export const datasetSplit = defineCommand({
  name: "split",
  summary: "Cut one set of data into parts for several parties, to try things out",
  details:
    "Does what the spec's simulation section says (IID, label shards, Dirichlet, quantity skew, by a column or by time) and writes a folder for each party, which its node can use.",
  arguments: { spec: argument("<spec>", "file with the run spec, or - for standard input") },
  options: { output: requiredText("-o, --output <folder>", "where the parties' folders go") },
  examples: [{ command: "nexus dataset split examples/mnist/run.yaml --output ./parties" }],
  async action({ args, options, output, signal }) {
    const [{ simulatedParties }, { writeSplit }] = await Promise.all([import("../../simulated-parties.ts"), import("@ciphernx/ai/data/node")]);
    const { spec, parties: parts } = await simulatedParties(args.spec, { signal, shared: false });
    const parties = await writeSplit(options.output, spec.data.dataset, parts);
    const lines = parties.map(({ folder, trainExamples, testExamples }) => `${folder}  ${trainExamples} to train on, ${testExamples} held out`);
    output.result({ data: { parties }, text: lines.join("\n"), ids: parties.map(({ folder }) => folder) });
  },
});
