import type { Model } from "@ciphernx/protocol/proto";
import { formatModelCard } from "./model-card.ts";
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

/** The model that another one's run began with, where it is one of a run here. */
export function parentModel({ cardJson }: Model, models: readonly Model[]): Model | undefined {
  const card = JSON.parse(cardJson) as { readonly lineage?: { readonly initialModelHash?: string | null } } | null;
  const initial = card?.lineage?.initialModelHash;
  return models.findLast(({ hash }) => hash === initial);
}

/** One model and its card for people, and the model that its run began with. */
export function formatModel(model: Model, parent?: Model): string {
  const fields = formatFields([
    ["model", model.id],
    ["name", model.name],
    ["size", formatBytes(model.sizeBytes)],
    ["sha-256", model.hash],
    ["made", formatTime(model.createdAt)],
    ...(parent === undefined ? [] : [["began with", `${parent.id} (${parent.name})`] as const]),
  ]);
  return `${fields}\n\n${formatModelCard(modelData(model).card)}`;
}

/** A model file and the card beside it for people. */
export function formatModelFile({ file, sizeBytes, card }: { readonly file: string; readonly sizeBytes: number; readonly card: unknown }): string {
  const fields = formatFields([
    ["file", file],
    ["size", formatBytes(sizeBytes)],
  ]);
  return `${fields}\n\n${formatModelCard(card)}`;
}
