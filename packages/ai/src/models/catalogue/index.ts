import type { z } from "zod";
import type { NetworkSpec } from "../../nn/index.ts";
import type { LearningTask } from "../learning-task.ts";
import type { CatalogueModel, Refused } from "./catalogue-model.ts";
import { cnn } from "./cnn.ts";
import { layers } from "./layers.ts";
import { lenet5 } from "./lenet5.ts";
import { linear } from "./linear.ts";
import { logistic } from "./logistic.ts";
import { mlp } from "./mlp.ts";
import { resnet } from "./resnet.ts";
import { softmax } from "./softmax.ts";

/** Every kind of network that a spec can name. A new one is one file beside this one and one word here. */
const CATALOGUE = [linear, logistic, softmax, mlp, lenet5, cnn, resnet, layers] as const;

type SchemasOf<Models> = { readonly [Index in keyof Models]: Models[Index] extends CatalogueModel<infer Schema> ? Schema : never };

/** The schemas of all kinds, for the model section. */
export const catalogueSchemas = CATALOGUE.map(({ schema }) => schema) as unknown as SchemasOf<typeof CATALOGUE>;

/** The options of any kind of network, defaults filled in. */
export type NetworkOptions = z.output<(typeof catalogueSchemas)[number]>;

const BY_KIND = new Map(CATALOGUE.map((model) => [kindOf(model), model as unknown as CatalogueModel<z.ZodType<NetworkOptions>>]));

/** The kinds of networks that a spec can name. */
export const CATALOGUE_KINDS: readonly NetworkOptions["kind"][] = [...BY_KIND.keys()];

/** The network that options make of a learning task, or why they make none. Pure. */
export function catalogueNetwork(options: NetworkOptions, task: LearningTask): NetworkSpec | Refused {
  return BY_KIND.get(options.kind)!.network(options, task);
}

function kindOf({ schema }: (typeof CATALOGUE)[number]): NetworkOptions["kind"] {
  return schema.shape.kind.value;
}

export type { Refused } from "./catalogue-model.ts";
