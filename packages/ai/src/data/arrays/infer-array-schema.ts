import { NexusError, plural } from "@ciphernx/core/errors";
import { findMistakes } from "@ciphernx/core/spec";
import { datasetSchema, type TensorSchema } from "../dataset-schema.ts";
import type { NumericArray } from "./numeric-array.ts";

/**
 * The schema of two arrays: bytes are scaled by 1/255, whole-number labels are classes from 0 to the largest found.
 * A party that lacks the highest classes must be given the others' schema.
 * @param options.classes Number of classes, where the largest label does not tell it.
 * @throws NexusError DATA_INVALID when the arrays are not rows with one label each.
 */
export function inferArraySchema(
  features: NumericArray,
  targets: NumericArray,
  options: { readonly classes?: number; readonly source?: string } = {},
): TensorSchema {
  const source = options.source ?? "The features";
  if (features.shape.length < 2) {
    throw new NexusError(
      "DATA_INVALID",
      `${source} is an array of ${plural(features.shape.length, "dimension")}; features have rows and at least one dimension more.`,
      {
        hint: "Check that features and labels are not exchanged.",
      },
    );
  }
  const element = features.data instanceof Uint8Array ? "u8" : "f32";
  const isClass = !(targets.data instanceof Float32Array || targets.data instanceof Float64Array);
  const classes = options.classes ?? largestLabel(targets) + 1;
  const draft = {
    kind: "tensor",
    shape: features.shape.slice(1),
    element,
    scale: element === "u8" ? 1 / 255 : 1,
    ...(isClass ? { task: "classification", classes } : { task: "regression" }),
  };
  const inferred = datasetSchema.safeParse(draft);
  if (!inferred.success || inferred.data.kind !== "tensor") {
    const [mistake] = findMistakes(datasetSchema, draft);
    const what = mistake === undefined ? "" : ` In its schema, ${mistake.path}: ${mistake.reason}`;
    throw new NexusError("DATA_INVALID", `${source}: no schema fits these arrays.${what}`, {
      hint: "Write the schema by hand.",
    });
  }
  return inferred.data;
}

function largestLabel({ data }: NumericArray): number {
  let largest = 0;
  for (const label of data) if (label > largest) largest = label;
  return largest;
}
