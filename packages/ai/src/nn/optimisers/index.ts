import { adam, type AdamSpec } from "./adam.ts";
import { adamw, type AdamWSpec } from "./adamw.ts";
import type { OptimiserDefinition } from "./optimiser.ts";
import { sgd, type SgdSpec } from "./sgd.ts";

/** How the parameters follow the gradient. */
export type OptimiserSpec = SgdSpec | AdamSpec | AdamWSpec;

const OPTIMISERS: { readonly [Kind in OptimiserSpec["kind"]]: OptimiserDefinition<Extract<OptimiserSpec, { kind: Kind }>> } = { sgd, adam, adamw };

/** The kinds of optimisers there are. */
export const OPTIMISER_KINDS = Object.keys(OPTIMISERS) as readonly OptimiserSpec["kind"][];

/** The definition of an optimiser's kind, or undefined for a kind that this build does not know. */
export function optimiserDefinition(spec: OptimiserSpec): OptimiserDefinition<OptimiserSpec> | undefined {
  return Object.hasOwn(OPTIMISERS, spec.kind) ? OPTIMISERS[spec.kind] : undefined;
}

export type { OptimiserContext, OptimiserDefinition } from "./optimiser.ts";
