import type { RegisteredSchema } from "@ciphernx/ai/data";
import type { Dataset } from "@ciphernx/protocol/proto";
import { plural } from "@ciphernx/core/errors";
import { formatFields, formatShare, formatTable, formatTime } from "../output/index.ts";
import { formatColumns } from "./columns.ts";

/** A dataset for programs. */
export function datasetData({ id, name, nodeId, nodeName, trainExamples, testExamples, contentHash, registeredAt, schemaJson }: Dataset) {
  const schema: unknown = JSON.parse(schemaJson);
  return { id, name, nodeId, nodeName, trainExamples: Number(trainExamples), testExamples: Number(testExamples), contentHash, registeredAt, schema };
}

/** The table of datasets for people. */
export function formatDatasets(datasets: readonly Dataset[]): string {
  return formatTable(
    [
      { title: "DATASET", cell: ({ name, nodeName }: Dataset) => `${name}@${nodeName}` },
      { title: "TRAIN", align: "right", cell: ({ trainExamples }) => String(trainExamples) },
      { title: "TEST", align: "right", cell: ({ testExamples }) => String(testExamples) },
      { title: "CONTENT", cell: ({ contentHash }) => contentHash.slice(0, 12) },
      { title: "ID", cell: ({ id }) => id },
    ],
    datasets,
    "No dataset is registered yet. `nexus dataset add` describes one in a node's folder; the node registers it when it runs.",
  );
}

/** One dataset with its schema for people. */
export function formatDataset(dataset: Dataset): string {
  const schema = JSON.parse(dataset.schemaJson) as RegisteredSchema;
  const fields = formatFields([
    ["dataset", `${dataset.name}@${dataset.nodeName}`],
    ["id", dataset.id],
    ["train", plural(dataset.trainExamples, "example")],
    ["test", plural(dataset.testExamples, "example")],
    ["content", dataset.contentHash],
    ["registered", formatTime(dataset.registeredAt)],
    ...schemaFields(schema),
    ["missing", missingText(dataset, schema)],
  ]);
  return schema.kind === "table"
    ? `${fields}\n\n${formatColumns(schema.columns, { missing: schema.missingCells ?? [], rows: rowCount(dataset) })}`
    : fields;
}

function schemaFields(schema: RegisteredSchema): readonly (readonly [string, string])[] {
  switch (schema.kind) {
    case "table":
      return [["rows", `${schema.task}, ${plural(schema.columns.length, "column")}`]];
    case "tensor":
      return [
        ["rows", `${schema.task}${schema.classes === undefined ? "" : ` into ${schema.classes} classes`}`],
        ...(schema.classNames === undefined ? [] : [["classes", schema.classNames.join(", ")] as const]),
        ["shape", `${schema.shape.join(" × ")} ${schema.element}${schema.scale === 1 ? "" : `, each × ${Number(schema.scale.toPrecision(6))}`}`],
      ];
    case "opaque":
      return [["rows", schema.description ?? "known to the party's own trainer alone"]];
  }
}

/** Of a table the columns say which; of arrays, whose values have no names, there is only the sum. */
function missingText(dataset: Dataset, schema: RegisteredSchema): string {
  if (schema.kind === "opaque") return "not known";
  const missing = schema.missingCells ?? [];
  if (missing.length === 0) return "no cell of a feature";
  const cells = missing.reduce((total, { count }) => total + count, 0);
  const features = schema.kind === "table" ? schema.columns.filter(({ role }) => role === "feature").length : schema.shape.reduce((a, b) => a * b, 1);
  const all = features * rowCount(dataset);
  return `${plural(cells, "cell")} of features${all === 0 ? "" : `, ${formatShare(cells / all)} of them`}`;
}

function rowCount({ trainExamples, testExamples }: Dataset): number {
  return Number(trainExamples) + Number(testExamples);
}
