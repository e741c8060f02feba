import type { Address } from "./kernel-exports.ts";
import type { Kernel } from "./kernel.ts";
import { lengthOf, type SequencePlan } from "./layers/index.ts";
import { lossDefinition } from "./losses/index.ts";
import { createMemoryPlan } from "./memory-plan.ts";
import { layoutOf, type NetworkSpec } from "./network-plan.ts";

/** Where the buffers of a network lie in its memory. */
export interface NetworkBuffers {
  readonly weights: Address;
  readonly gradient: Address;
  readonly input: Address;
  readonly output: Address;
  readonly outputGradient: Address;
  readonly kept: Address;
  readonly scratch: Address;
  readonly losses: Address;
  readonly targets: Address;
  readonly gemmScratch: Address;
  readonly inputBytes: Address;
  readonly state: readonly [Address, Address];
  readonly anchor: Address;
  /** First address behind them all. */
  readonly end: Address;
}

/** Vectors as long as the parameters: weights, gradient, two of the optimiser's state, the anchor. */
export const PARAMETER_VECTORS = 5;

/** Places everything a network ever needs, one buffer behind the other. Pure; needs no memory. */
export function placeBuffers(
  { heapBase, gemmScratchBytes }: Pick<Kernel, "heapBase" | "gemmScratchBytes">,
  spec: NetworkSpec,
  planned: SequencePlan,
  maxBatch: number,
): NetworkBuffers {
  const { length } = layoutOf(planned);
  const outputLength = lengthOf(planned.outputShape);
  const plan = createMemoryPlan(heapBase);
  const buffers = {
    weights: plan.floats(length),
    gradient: plan.floats(length),
    input: plan.floats(maxBatch * spec.inputLength),
    output: plan.floats(maxBatch * outputLength),
    outputGradient: plan.floats(maxBatch * outputLength),
    kept: plan.floats(planned.keptFloats(maxBatch)),
    scratch: plan.floats(Math.max(lossDefinition(spec.loss)!.scratchFloats(maxBatch, outputLength), planned.scratchFloats(maxBatch))),
    losses: plan.floats(maxBatch),
    targets: plan.floats(maxBatch * outputLength),
    gemmScratch: plan.bytes(gemmScratchBytes),
    inputBytes: plan.bytes(maxBatch * spec.inputLength),
    state: [plan.floats(length), plan.floats(length)] as const,
    anchor: plan.floats(length),
  };
  return { ...buffers, end: plan.end };
}
