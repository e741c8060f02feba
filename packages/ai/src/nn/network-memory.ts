import type { Address } from "./kernel-exports.ts";
import type { KernelExports } from "./kernel-exports.ts";
import { instantiate, type Kernel } from "./kernel.ts";
import { type BoundLayer, layerDefinition, lengthOf } from "./layers/index.ts";
import { type BoundLoss, lossDefinition } from "./losses/index.ts";
import { createMemoryPlan } from "./memory-plan.ts";
import { networkLayout, type NetworkSpec, outputLengthOf, planLayers } from "./network-plan.ts";

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
  /** Two buffers, each as large as the largest output of a layer: gradients go from one to the other. */
  readonly outputGradients: readonly [Address, Address];
  readonly layers: readonly BoundLayer[];
  readonly loss: BoundLoss;
}

/**
 * Lays out everything a network ever needs in one memory of fixed size. Pages that are never touched (the state of an
 * optimiser that has none) cost address space only.
 */
export function layOutNetwork(kernel: Kernel, spec: NetworkSpec, maxBatch: number): NetworkMemory {
  const planned = planLayers(spec);
  const layout = networkLayout(spec);
  const outputLength = outputLengthOf(planned);
  const lossKind = lossDefinition(spec.loss)!;

  const plan = createMemoryPlan(kernel.heapBase);
  const weights = plan.floats(layout.length);
  const gradient = plan.floats(layout.length);
  const input = plan.floats(maxBatch * spec.inputLength);
  const outputs = planned.map((layer) => plan.floats(maxBatch * lengthOf(layer.plan.outputShape)));
  const kept = planned.map((layer) => plan.floats(layer.plan.keptFloats?.(maxBatch) ?? 0));
  const largest = maxBatch * Math.max(...planned.map((layer) => lengthOf(layer.plan.outputShape)));
  const outputGradients = [plan.floats(largest), plan.floats(largest)] as const;
  const scratchFloats = planned.map((layer) => layer.plan.scratchFloats?.(maxBatch) ?? 0);
  const scratch = plan.floats(Math.max(lossKind.scratchFloats(maxBatch, outputLength), ...scratchFloats));
  const losses = plan.floats(maxBatch);
  const targets = plan.floats(maxBatch * outputLength);
  const gemmScratch = plan.bytes(kernel.gemmScratchBytes);
  const inputBytes = plan.bytes(maxBatch * spec.inputLength);
  const state = [plan.floats(layout.length), plan.floats(layout.length)] as const;
  const anchor = plan.floats(layout.length);

  const { exports, memory } = instantiate(kernel.module, plan.end);
  const offsets = new Map(layout.entries.map(({ name, offset }) => [name, offset * 4]));
  const layers = planned.map((layer, index) =>
    layerDefinition(layer.spec)!.bind(layer.spec, {
      kernel: exports,
      inputShape: layer.inputShape,
      outputShape: layer.plan.outputShape,
      parameters: layer.parameters.map(({ name }) => weights + offsets.get(name)!),
      gradients: layer.parameters.map(({ name }) => gradient + offsets.get(name)!),
      input: index === 0 ? input : outputs[index - 1]!,
      output: outputs[index]!,
      kept: kept[index]!,
      scratch,
      gemmScratch,
    }),
  );
  const loss = lossKind.bind({ kernel: exports, outputLength, outputs: outputs.at(-1)!, targets, losses, scratch });
  return { kernel: exports, memory, weights, gradient, state, anchor, input, inputBytes, targets, losses, outputGradients, layers, loss };
}
