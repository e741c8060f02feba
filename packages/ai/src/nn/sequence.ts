import { NexusError } from "@ciphernx/core/errors";
import type { Address } from "./kernel-exports.ts";
import {
  type BoundLayer,
  LAYER_KINDS,
  type LayerContext,
  layerDefinition,
  type LayerSpec,
  lengthOf,
  type PlannedLayer,
  type SequencePlan,
  type Shape,
  shapeText,
} from "./layers/index.ts";
import { createMemoryPlan } from "./memory-plan.ts";

/** Numbers of one tensor or of one example's values, at most: what a memory of 4 GiB could hold. */
const MOST_NUMBERS = 2 ** 30;

/**
 * Infers the shapes and parameters of layers one behind the other. Names are `label` and the index, with leading zeros
 * as the number of layers needs them, so that the order of names is that of layers. Throws SPEC_INVALID, naming the
 * layer by `place`.
 */
export function planSequence(specs: readonly LayerSpec[], inputShape: Shape, label: string, place: string): SequencePlan {
  const digits = String(specs.length - 1).length;
  let shape = inputShape;
  const layers = specs.map((spec, index): PlannedLayer => {
    const where = `${place} ${index}`;
    const definition = layerDefinition(spec);
    if (definition === undefined) {
      throw new NexusError("SPEC_INVALID", `${where} is of kind ${JSON.stringify(spec.kind)}; there are ${LAYER_KINDS.join(", ")}.`, {
        details: { layer: where },
      });
    }
    const refuse = (problem: string, details?: Readonly<Record<string, unknown>>) =>
      new NexusError("SPEC_INVALID", `${where} (${spec.kind}) ${problem}`, { details: { layer: where, kind: spec.kind, ...details } });
    const plan = definition.plan(spec, shape, {
      next: specs[index + 1]?.kind,
      refuse,
      sequence: (inner, innerShape, innerLabel) => planSequence(inner, innerShape, innerLabel, `${where}, ${innerLabel}`),
    });
    for (const size of [plan.outputShape, ...plan.parameters.map((parameter) => parameter.shape)]) {
      if (!(lengthOf(size) < MOST_NUMBERS)) throw refuse(`makes a tensor of shape ${shapeText(size)}, which no memory of this kernel holds.`);
    }
    const planned = { spec, name: `${label}${String(index).padStart(digits, "0")}`, inputShape: shape, plan };
    shape = plan.outputShape;
    return planned;
  });
  return {
    layers,
    inner: layers,
    outputShape: shape,
    parameters: layers.flatMap(({ name, plan }) => plan.parameters.map((parameter) => ({ ...parameter, name: `${name}.${parameter.name}` }))),
    draws: layers.some(({ plan }) => plan.draws === true),
    keptFloats: (maxBatch) => placeKept(layers, maxBatch, 0).end / 4,
    scratchFloats: (maxBatch) =>
      placeGradients(layers, maxBatch, 0).end / 4 + layers.reduce((most, { plan }) => Math.max(most, plan.scratchFloats?.(maxBatch) ?? 0), 0),
    bind: (context) => bindSequence(layers, context),
  };
}

/** What stays from forward to backward: the outputs of all layers but the last, and what each keeps. */
function placeKept(layers: readonly PlannedLayer[], maxBatch: number, base: Address) {
  const memory = createMemoryPlan(base);
  const outputs = layers.slice(0, -1).map(({ plan }) => memory.floats(maxBatch * lengthOf(plan.outputShape)));
  const kept = layers.map(({ plan }) => memory.floats(plan.keptFloats?.(maxBatch) ?? 0));
  return { outputs, kept, end: memory.end };
}

/** Two buffers, each as large as the largest value between two layers: gradients go from one to the other. */
function placeGradients(layers: readonly PlannedLayer[], maxBatch: number, base: Address) {
  const memory = createMemoryPlan(base);
  const largest = maxBatch * layers.slice(1).reduce((most, { inputShape }) => Math.max(most, lengthOf(inputShape)), 0);
  const turns = [memory.floats(largest), memory.floats(largest)] as const;
  return { turns, end: memory.end };
}

function bindSequence(layers: readonly PlannedLayer[], context: LayerContext): BoundLayer {
  const { outputs, kept } = placeKept(layers, context.maxBatch, context.kept);
  const { turns, end: scratch } = placeGradients(layers, context.maxBatch, context.scratch);
  let firstParameter = 0;
  const bound = layers.map(({ name, plan }, index) => {
    const parameters = [firstParameter, (firstParameter += plan.parameters.length)] as const;
    return plan.bind({
      ...context,
      name: context.name === "" ? name : `${context.name}.${name}`,
      parameters: context.parameters.slice(...parameters),
      gradients: context.gradients.slice(...parameters),
      input: index === 0 ? context.input : outputs[index - 1]!,
      output: outputs[index] ?? context.output,
      kept: kept[index]!,
      scratch,
    });
  });
  return {
    forward(rows, step) {
      for (const layer of bound) layer.forward(rows, step);
    },
    backward(rows, outputGradient, inputGradient) {
      let from = outputGradient;
      for (let index = bound.length - 1; index >= 0; index -= 1) {
        const to = index === 0 ? inputGradient : turns[index % 2]!;
        bound[index]!.backward(rows, from, to);
        from = to;
      }
    },
    afterUpdate() {
      for (const layer of bound) layer.afterUpdate?.();
    },
  };
}
