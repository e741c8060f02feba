import { argument, defineCommand, number, requiredText, text, texts } from "../../command.ts";

export const datasetAdd = defineCommand({
  name: "add",
  summary: "Describe data of a node, without moving it",
  details:
    "Reads every row once to see that it fits, and writes a description (files, schema, counts, content hash) into the node's folder; the node registers it by reference when it starts. Rows never leave their files.",
  arguments: { name: argument("<name>", "the dataset's name, as run specs write it; the same at every party") },
  options: {
    folder: requiredText("--folder <folder>", "the node's folder"),
    trainImages: text("--train-images <file>", "IDX images to train on"),
    trainLabels: text("--train-labels <file>", "IDX labels to train on"),
    testImages: text("--test-images <file>", "IDX images to evaluate on"),
    testLabels: text("--test-labels <file>", "IDX labels to evaluate on"),
    csv: texts("--csv <file...>", "CSV files with rows to train on"),
    testCsv: texts("--test-csv <file...>", "CSV files with rows to evaluate on"),
    delimiter: text("--delimiter <character>", "what stands between the cells of the CSV files"),
    label: text("--label <column>", "CSV without a schema: the column to predict"),
    schema: text("--schema <file>", "YAML or JSON schema of the rows (default: inferred from them)"),
    holdOut: number("--hold-out <share>", "share of the rows to hold out for evaluation where no test files are named", { above: 0, below: 1 }),
  },
  examples: [
    { command: "nexus dataset add digits --folder ./clinic-a --train-images train-images.idx3-ubyte --train-labels train-labels.idx1-ubyte" },
    { command: "nexus dataset add heart --folder ./clinic-a --csv patients.csv --label sick --hold-out 0.2" },
  ],
  async action({ args, options, output, signal }) {
    const { addDataset } = await import("@ciphernx/ai/data/node");
    const { csv, testCsv, holdOut, ...rest } = options;
    const files = { ...(csv.length === 0 ? {} : { csv }), ...(testCsv.length === 0 ? {} : { testCsv }) };
    const held = holdOut === undefined ? {} : { holdOut: { fraction: holdOut, seed: 0 } };
    const dataset = await addDataset({ name: args.name, ...rest, ...files, ...held, signal });
    const { trainExamples, testExamples, contentHash, missing } = dataset;
    const lines = [
      `Described ${args.name}: ${trainExamples} examples to train on, ${testExamples} held out, content ${contentHash.slice(0, 12)}.`,
      ...missing.map(({ column, count }) => `${column} is missing in ${count} rows: fill it in, or leave the column out, before training.`),
      dataset.descriptorPath,
    ];
    output.result({ data: { dataset }, text: lines.join("\n"), ids: [args.name] });
  },
});
