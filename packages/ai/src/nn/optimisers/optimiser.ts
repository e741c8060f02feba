import type { Address, KernelExports } from "../kernel-exports.ts";

/** Where an optimiser finds the parameters, all as flat vectors of `count` in canonical order. */
export interface OptimiserContext {
  readonly kernel: KernelExports;
  readonly count: number;
  readonly weights: Address;
  readonly gradient: Address;
  /** State vectors, zero before the first step, as many as `stateVectors` says. */
  readonly state: readonly [Address, Address];
  /** The parameters that the proximal term pulls to. */
  readonly anchor: Address;
  /** FedProx's μ; 0 leaves the term out. */
  readonly proximalMu: number;
}

/** A kind of optimiser: one file beside this one, one line in the index. */
export interface OptimiserDefinition<Spec extends { readonly kind: string }> {
  readonly kind: Spec["kind"];
  /** Throws USAGE when a setting is out of its range. */
  check(spec: Spec): void;
  /** How many state vectors a step reads and writes. */
  stateVectors(spec: Spec): 0 | 1 | 2;
  /** Makes the step function; `step` counts from 1 since the state was zero, `rateFactor` multiplies the learning rate. */
  bind(spec: Spec, context: OptimiserContext): (step: number, rateFactor: number) => void;
}
