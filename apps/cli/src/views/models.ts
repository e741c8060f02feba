import type { Model } from "@ciphernx/protocol/proto";
import { formatBytes, formatFields, formatTable, formatTime } from "../output/index.ts";

/** A model for programs. */
export function modelData({ id, name, runId, hash, sizeBytes, createdAt, cardJson }: Model) {
  const card: unknown = JSON.parse(cardJson);
  return { id, name, runId, hash, sizeBytes: Number(sizeBytes), createdAt, card };
}

/** The table of models for people. */
export function formatModels(models: readonly Model[]): string {
  return formatTable(
    [
      { title: "MODEL", cell: ({ id }: Model) => id },
      { title: "NAME", cell: ({ name }) => name },
      { title: "RUN", cell: ({ runId }) => runId },
      { title: "SIZE", align: "right", cell: ({ sizeBytes }) => formatBytes(sizeBytes) },
      { title: "SHA-256", cell: ({ hash }) => hash.slice(0, 12) },
      { title: "MADE", cell: ({ createdAt }) => formatTime(createdAt) },
    ],
    models,
    "No run has made a model yet.",
  );
}

/** One model and its card for people. */
export function formatModel(model: Model): string {
  const fields = formatFields([
    ["model", model.id],
    ["name", model.name],
    ["run", model.runId],
    ["size", formatBytes(model.sizeBytes)],
    ["sha-256", model.hash],
    ["made", formatTime(model.createdAt)],
  ]);
  return `${fields}\n\n${JSON.stringify(modelData(model).card, undefined, 2)}`;
}
