import { NexusError } from "@ciphernx/core/errors";
import { parseDocumentWith, sha256Schema } from "@ciphernx/core/spec";
import { z } from "zod";
import { type DatasetSchema, datasetSchema, featureLength, opaqueSchema } from "../data/index.ts";
import { type Preprocessing, preprocessingSchema } from "../data/preprocess/index.ts";
import { isOfSchema, preparedFeatures } from "../data/preprocess/preprocessing.ts";
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
  checkInputs(usable.network, name, schema, preprocessing);
  return preprocessing === undefined ? usable : { ...usable, preprocessing };
}

/** Rows of the schema, prepared as the card says, must be what the network takes: otherwise it would judge pieces of several as one. */
function checkInputs({ inputLength }: NetworkSpec, model: string, schema: DatasetSchema, preprocessing: Preprocessing | undefined): void {
  const refuse = (what: string) =>
    new NexusError("MODEL_NOT_USABLE", `The card of "${model}" ${what}.`, {
      hint: "Pull model and card again: `nexus model pull` writes both.",
      details: { model },
    });
  if (preprocessing !== undefined && !isOfSchema(preprocessing, schema)) throw refuse("prepares other columns than its schema has");
  const given = preprocessing === undefined ? featureLength(schema) : preparedFeatures(preprocessing);
  if (given !== inputLength) throw refuse(`makes ${given} inputs of a row, and its network takes ${inputLength}`);
}
