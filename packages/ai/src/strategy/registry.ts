import { NexusError } from "@ciphernx/core/errors";
import { parseDocumentWith } from "@ciphernx/core/spec";
import type { z } from "zod";
import { fedAdagrad, fedAdagradSchema } from "./fed-adagrad.ts";
import { fedAdam, fedAdamSchema } from "./fed-adam.ts";
import { fedAvgM, fedAvgMSchema } from "./fed-avg-m.ts";
import { fedAvg, fedAvgSchema } from "./fed-avg.ts";
import { fedNova, fedNovaSchema } from "./fed-nova.ts";
import { fedProx, fedProxSchema } from "./fed-prox.ts";
import { fedYogi, fedYogiSchema } from "./fed-yogi.ts";
import { scaffold, scaffoldSchema } from "./scaffold.ts";
import type { Strategy } from "./strategy.ts";

/** A strategy's options in the run spec, and what makes it from them. */
interface StrategyDefinition<S> {
  readonly schema: S;
  create(options: unknown): Strategy;
}

function define<S extends z.ZodType>(schema: S, create: (options: z.output<S>) => Strategy): StrategyDefinition<S> {
  return { schema, create: (options) => create(parseDocumentWith(schema, options, "The strategy")) };
}

/** Every strategy; adding one is its file and its line here. */
const STRATEGIES = [
  define(fedAvgSchema, fedAvg),
  define(fedProxSchema, fedProx),
  define(fedAvgMSchema, fedAvgM),
  define(fedAdamSchema, fedAdam),
  define(fedAdagradSchema, fedAdagrad),
  define(fedYogiSchema, fedYogi),
  define(fedNovaSchema, fedNova),
  define(scaffoldSchema, scaffold),
] as const;

type Schemas<T> = { -readonly [K in keyof T]: T[K] extends StrategyDefinition<infer S> ? S : never };

/** The options' schemas, for the run spec. */
export const STRATEGY_SCHEMAS = STRATEGIES.map(({ schema }) => schema) as unknown as Schemas<typeof STRATEGIES>;

/**
 * The strategy of a run spec's `strategy` section; options that are left out have their defaults.
 * @throws NexusError SPEC_INVALID when there is none of that kind, or an option is wrong.
 */
export function createStrategy(options: { readonly kind: string; readonly [option: string]: unknown }): Strategy {
  const definition = STRATEGIES.find(({ schema }) => schema.shape.kind.value === options.kind);
  if (definition === undefined) throw new NexusError("SPEC_INVALID", `There is no strategy "${options.kind}".`);
  return definition.create(options);
}
