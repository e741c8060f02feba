import { NexusError } from "@ciphernx/core/errors";
import { parseDocumentWith, sha256Schema } from "@ciphernx/core/spec";
import { z } from "zod";
import { type DatasetSchema, datasetSchema, featureColumns, opaqueSchema } from "../data/index.ts";
import { type Preprocessing, preprocessingSchema } from "../data/preprocess/index.ts";
import { isOfFeature } from "../data/preprocess/preprocessing.ts";
import type { NetworkSpec } from "../nn/index.ts";

/** What using a model needs of its card; a card of a later version may say more. The network is checked by building it. */
const cardSchema = z.looseObject({
  version: z.literal(1),
  name: z.string().min(1).max(256),
  model: z.looseObject({
    hash: sha256Schema,
    format: z.literal("safetensors"),
    network: z
      .looseObject({ inputLength: z.int().min(1), layers: z.array(z.looseObject({ kind: z.string() })).max(10_000), loss: z.string() })
      .optional(),
  }),
  data: z.looseObject({ schema: z.union([datasetSchema, opaqueSchema]), preprocessing: preprocessingSchema.optional() }),
});

/** What must be known of a model to use it. */
export interface UsableModel {
  readonly name: string;
  readonly hash: string;
  readonly network: NetworkSpec;
  /** What its rows were. */
  readonly schema: DatasetSchema;
  /** How rows become the network's inputs; absent where they are its inputs. */
  readonly preprocessing?: Preprocessing;
}

/**
 * Reads the card of a model that is to be used.
 * @param what names the document in errors, for example the file
 * @throws NexusError SPEC_INVALID where it is no card; MODEL_NOT_USABLE when the model is not one of a network and a schema
 */
export function readModelCard(document: unknown, what: string): UsableModel {
  const { name, model, data } = parseDocumentWith(cardSchema, document, what);
  if (model.network === undefined || data.schema.kind === "opaque") {
    throw new NexusError(
      "MODEL_NOT_USABLE",
      `The model "${name}" was made by the parties' own trainers, and its card has no network to run it with.`,
      {
        details: { model: name },
      },
    );
  }
  const { schema, preprocessing } = data;
  const usable = { name, hash: model.hash, network: model.network as unknown as NetworkSpec, schema };
  if (preprocessing === undefined) return usable;
  checkColumns(name, schema, preprocessing);
  return { ...usable, preprocessing };
}

/** Rows are prepared column by column: both lists must be of the same features. */
function checkColumns(model: string, schema: DatasetSchema, { columns }: Preprocessing): void {
  const features = schema.kind === "table" ? featureColumns(schema) : [];
  if (features.length === columns.length && columns.every((column, index) => isOfFeature(column, features[index]!))) return;
  throw new NexusError("MODEL_NOT_USABLE", `The card of "${model}" prepares other columns than its schema has.`, {
    hint: "Pull model and card again: `nexus model pull` writes both.",
    details: { model },
  });
}
