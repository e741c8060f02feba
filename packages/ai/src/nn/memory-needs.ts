import { lengthOf, type PlannedLayer } from "./layers/index.ts";
import { type NetworkSpec, planNetwork } from "./network-plan.ts";
import { PARAMETER_VECTORS, placeBuffers } from "./place-buffers.ts";

/** What 32-bit addresses reach. */
export const MOST_BYTES = 2 ** 32 - 65_536;

/** More than any build of the kernels takes for its static data, and for a matrix product to work in. */
export const KERNEL_BYTES = { heapBase: 2 ** 20, gemmScratchBytes: 2 ** 20 } as const;

/** What a network needs of a kernel's memory. */
export interface MemoryNeeds {
  readonly sizeBytes: number;
  /** Whether that is no more than a kernel's memory holds, 4 GiB. */
  readonly fits: boolean;
  /** The layer of the network that needs the most: its parameters, outputs, what it keeps, and its scratch. */
  readonly largest: { readonly name: string; readonly kind: string; readonly sizeBytes: number };
}

/**
 * What a network needs for batches of so many examples: what a plan can tell before any memory is asked for. What fits here fits
 * `createNetwork` of every build. Pure; needs no kernel. Throws SPEC_INVALID.
 */
export function memoryNeeds(spec: NetworkSpec, maxBatch: number): MemoryNeeds {
  const planned = planNetwork(spec);
  const sizeBytes = placeBuffers(KERNEL_BYTES, spec, planned, maxBatch).end;
  const needs = planned.layers.map((layer) => ({ name: layer.name, kind: layer.spec.kind, sizeBytes: bytesOf(layer, maxBatch) }));
  const largest = needs.reduce((most, layer) => (layer.sizeBytes > most.sizeBytes ? layer : most));
  return { sizeBytes, fits: sizeBytes <= MOST_BYTES, largest };
}

function bytesOf({ plan }: PlannedLayer, maxBatch: number): number {
  const parameters = plan.parameters.reduce((sum, { shape }) => sum + lengthOf(shape), 0);
  const outputs = maxBatch * lengthOf(plan.outputShape);
  return 4 * (PARAMETER_VECTORS * parameters + outputs + (plan.keptFloats?.(maxBatch) ?? 0) + (plan.scratchFloats?.(maxBatch) ?? 0));
}
