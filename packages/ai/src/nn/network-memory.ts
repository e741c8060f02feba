import { NexusError } from "@ciphernx/core/errors";
import type { Address, KernelExports } from "./kernel-exports.ts";
import { instantiate, type Kernel } from "./kernel.ts";
import { type BoundLayer, lengthOf } from "./layers/index.ts";
import { type BoundLoss, lossDefinition } from "./losses/index.ts";
import { MOST_BYTES } from "./memory-needs.ts";
import { layoutOf, type NetworkSpec, planNetwork } from "./network-plan.ts";
import { placeBuffers } from "./place-buffers.ts";

/** A network's buffers and its layers bound to them. */
export interface NetworkMemory {
  readonly kernel: KernelExports;
  readonly memory: WebAssembly.Memory;
  /** Flat vectors in canonical order. */
  readonly weights: Address;
  readonly gradient: Address;
  readonly state: readonly [Address, Address];
  readonly anchor: Address;
  /** The batch. */
  readonly input: Address;
  readonly inputBytes: Address;
  readonly targets: Address;
  /** One f32 an example. */
  readonly losses: Address;
  /** The gradient of the network's outputs. */
  readonly outputGradient: Address;
  readonly layers: BoundLayer;
  readonly loss: BoundLoss;
}

/**
 * Lays out everything a network ever needs in one memory of fixed size. Pages that are never touched (the state of an
 * optimiser that has none) cost address space only. Throws SPEC_INVALID when that is more than 4 GiB.
 */
export function layOutNetwork(kernel: Kernel, spec: NetworkSpec, maxBatch: number): NetworkMemory {
  const planned = planNetwork(spec);
  const layout = layoutOf(planned);
  const outputLength = lengthOf(planned.outputShape);
  const buffers = placeBuffers(kernel, spec, planned, maxBatch);
  const { weights, gradient, input, output, outputGradient, kept, scratch, losses, targets, gemmScratch, inputBytes, state, anchor, end } = buffers;
  if (!(end <= MOST_BYTES)) {
    throw new NexusError(
      "SPEC_INVALID",
      `The network needs ${(end / 2 ** 30).toFixed(1)} GiB for batches of ${maxBatch}; a kernel's memory holds 4.`,
      { hint: "Take a smaller batch, or a smaller network.", details: { sizeBytes: end, maxBatch } },
    );
  }

  const { exports, memory } = instantiate(kernel.module, end);
  const offsets = new Map(layout.entries.map(({ name, offset }) => [name, offset * 4]));
  const layers = planned.bind({
    kernel: exports,
    memory,
    name: "",
    maxBatch,
    parameters: planned.parameters.map(({ name }) => weights + offsets.get(name)!),
    gradients: planned.parameters.map(({ name }) => gradient + offsets.get(name)!),
    input,
    output,
    kept,
    scratch,
    gemmScratch,
  });
  const loss = lossDefinition(spec.loss)!.bind({ kernel: exports, outputLength, outputs: output, targets, losses, scratch });
  return { kernel: exports, memory, weights, gradient, state, anchor, input, inputBytes, targets, losses, outputGradient, layers, loss };
}
