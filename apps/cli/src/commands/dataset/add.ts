import type { ColumnSchema, TableSchema } from "@ciphernx/ai/data";
import { NexusError, plural } from "@ciphernx/core/errors";
import { argument, defineCommand, flag, number, requiredText, text, texts } from "../../command.ts";
import { formatTable } from "../../output/index.ts";
import { categoriesText } from "../../views/columns.ts";

export const datasetAdd = defineCommand({
  name: "add",
  summary: "Describe data of a node, without moving it",
  details:
    "Reads every row once to see that it fits, and writes a description (files, schema, counts, content hash) into the node's folder; the node registers it by reference when it starts. Rows never leave their files.",
  arguments: { name: argument("<name>", "the dataset's name, as run specs write it; the same at every party") },
  options: {
    folder: requiredText("--folder <folder>", "the folder that `nexus node join` made"),
    data: texts(
      "--data <file...>",
      "rows to train on: CSV, TSV, JSONL, Parquet or NPZ files by their names, or a folder with a folder of images for each class",
    ),
    testData: texts("--test-data <file...>", "the same to evaluate on"),
    trainImages: text("--train-images <file>", "IDX or NPY features to train on"),
    trainLabels: text("--train-labels <file>", "IDX or NPY labels to train on"),
    testImages: text("--test-images <file>", "IDX or NPY features to evaluate on"),
    testLabels: text("--test-labels <file>", "IDX or NPY labels to evaluate on"),
    csv: texts("--csv <file...>", "CSV files with rows to train on"),
    testCsv: texts("--test-csv <file...>", "CSV files with rows to evaluate on"),
    delimiter: text("--delimiter <character>", "what stands between the cells of the CSV files"),
    label: text("--label <column>", "a table without a schema: the column to predict"),
    schema: text("--schema <file>", "YAML or JSON schema of the rows (default: inferred from them)"),
    holdOut: number("--hold-out <share>", "share of the rows to hold out for evaluation where no test files are named", { above: 0, below: 1 }),
    terms: text("--terms <file>", "YAML or JSON file with what its owner allows (default: the terms that it has, if it is described already)"),
    stratify: flag("--stratify", "with --hold-out: the same share of each class"),
  },
  examples: [
    { command: "nexus dataset add digits --folder ./clinic-a --train-images train-images.idx3-ubyte --train-labels train-labels.idx1-ubyte" },
    {
      command: "nexus dataset add scans --folder ./clinic-a --data ./scans --test-data ./held-out",
      about: "folders with a folder of images for each class",
    },
    { command: "nexus dataset add visits --folder ./clinic-a --data 2024.parquet 2025.parquet --label outcome" },
    { command: "nexus dataset add heart --folder ./clinic-a --csv patients.csv --label sick --hold-out 0.2 --stratify" },
  ],
  async action({ args, options, output, signal }) {
    const [{ addDataset }, { loadIdentity, logDecision }] = await Promise.all([
      import("@ciphernx/ai/data/node"),
      import("@ciphernx/ai/federation/node"),
    ]);
    await loadIdentity(options.folder); // a mistyped folder is told, not made
    const { data, testData, csv, testCsv, holdOut, stratify, ...rest } = options;
    const named = { data, testData, csv, testCsv };
    const files = Object.fromEntries(Object.entries(named).filter(([, paths]) => paths.length > 0));
    if (stratify && holdOut === undefined) {
      throw new NexusError("USAGE", "--stratify says how rows are held out, and none are.", { hint: "Name their share as well: --hold-out 0.2." });
    }
    const held = holdOut === undefined ? {} : { holdOut: { fraction: holdOut, seed: 0, ...(stratify ? { stratify } : {}) } };
    const dataset = await addDataset({ name: args.name, ...rest, ...files, ...held, signal });
    const { trainExamples, testExamples, contentHash, missing, schema, terms } = dataset;
    if (options.terms !== undefined) await logDecision(options.folder, { act: "terms-changed", dataset: args.name, terms });
    const lines = [
      `Described ${args.name}: ${plural(trainExamples, "example")} to train on, ${testExamples} held out, content ${contentHash.slice(0, 12)}.`,
      ...(schema.kind === "table"
        ? [
            formatColumns(schema),
            "These names, categories included, are shown to the coordinator and the other parties, counts of missing cells to the coordinator; rows are not.",
          ]
        : []),
      ...missing.map(
        ({ column, count }) =>
          `${column} is missing in ${plural(count, "row")}; a spec with a \`preprocess\` section fills it by what all parties' rows say, one without refuses it.`,
      ),
      ...(terms === undefined ? [] : [`Its owner's terms hold: ${Object.keys(terms).join(", ")}.`]),
      `${dataset.descriptorPath} holds this; a node that is running must be restarted to register it.`,
    ];
    output.result({ data: { dataset }, text: lines.join("\n"), ids: [args.name] });
  },
});

/** The columns of a table as they will be registered. */
function formatColumns({ columns }: TableSchema): string {
  const values = (column: ColumnSchema): string => (column.type === "category" ? categoriesText(column) : "");
  return formatTable(
    [
      { title: "COLUMN", cell: ({ name }: ColumnSchema) => name },
      { title: "ROLE", cell: ({ role }) => role },
      { title: "TYPE", cell: ({ type }) => type },
      { title: "CATEGORIES", cell: values },
    ],
    columns,
    "",
  );
}
