import type { Refusal } from "@ciphernx/core/spec";
import type { z } from "zod";
import type { NetworkSpec } from "../../nn/index.ts";
import type { LearningTask } from "../learning-task.ts";

/** Why a model does not fit the dataset. */
export interface Refused {
  readonly refusals: readonly Refusal[];
}

/** A kind of model: one file beside this one, one line in the index. */
export interface CatalogueModel<Schema extends z.ZodType = z.ZodType> {
  /** The `model` section of a run spec, with its literal `kind`. */
  readonly schema: Schema;
  /** The network for a learning task, or why there is none. Pure. */
  network(options: z.output<Schema>, task: LearningTask): NetworkSpec | Refused;
}

/** Declares a kind of model. */
export function defineModel<Schema extends z.ZodType>(model: CatalogueModel<Schema>): CatalogueModel<Schema> {
  return model;
}
