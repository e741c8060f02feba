import type { Dataset } from "@ciphernx/protocol/proto";
import { plural } from "@ciphernx/core/errors";
import { formatFields, formatTable, formatTime } from "../output/index.ts";

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
  return formatFields([
    ["dataset", `${dataset.name}@${dataset.nodeName}`],
    ["id", dataset.id],
    ["train", plural(dataset.trainExamples, "example")],
    ["test", plural(dataset.testExamples, "example")],
    ["content", dataset.contentHash],
    ["registered", formatTime(dataset.registeredAt)],
    ["schema", dataset.schemaJson],
  ]);
}
