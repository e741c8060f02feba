import { NexusError } from "@ciphernx/core/errors";
import { randomStream } from "../random/index.ts";
import type { ParameterLayout } from "../tensor/index.ts";
import { createFeeder, type Examples, type Features } from "./examples.ts";
import type { Kernel } from "./kernel.ts";
import { lengthOf, type TrainingStep } from "./layers/index.ts";
import { lossDefinition } from "./losses/index.ts";
import { layOutNetwork } from "./network-memory.ts";
import { layoutOf, type NetworkSpec, planNetwork } from "./network-plan.ts";
import { OPTIMISER_KINDS, optimiserDefinition, type OptimiserSpec } from "./optimisers/index.ts";
import { drive, driveInSlices, type DriveOptions } from "./pause.ts";
import { scheduleFactor, type ScheduleSpec } from "./schedules/index.ts";

/** Sums over examples, never means: sums of parties can be added. */
export interface MetricSums {
  readonly examples: number;
  /** Sum of the losses of the examples, added in f64 in the order of the examples. */
  readonly loss: number;
  /** Examples that were predicted correctly; 0 for regression. */
  readonly correct: number;
}

/** Names the random numbers of a training: for a party, the run's seed and ["dropout", party, round]. */
export interface Randomness {
  readonly seed: number;
  readonly path: readonly (string | number)[];
}

export interface FitOptions extends Examples {
  /**
   * Indices of the examples in the order in which they are learnt: one pass, or several in turn. A batch never spans
   * two passes; the last of a pass may be smaller.
   */
  readonly order: Uint32Array | readonly Uint32Array[];
  /** Examples a step, at most the network's `maxBatch`. */
  readonly batchSize: number;
  readonly optimiser: OptimiserSpec;
  /** FedProx's μ: adds μ·(w − w₀) to the gradient, w₀ being the parameters when the call began. Default 0. */
  readonly proximalMu?: number;
  /** Added to the gradient of every step, flat in canonical order: SCAFFOLD's c − c_i. Not together with `proximalMu`, whose memory it uses. */
  readonly gradientCorrection?: Float32Array;
  /** Goes on with momentum and moments of the call before instead of from zero. Default false: parties keep no state. */
  readonly keepOptimiserState?: boolean;
  /**
   * Multiplies the learning rate of each step with the schedule's factor at `from` plus the steps since the state was
   * zero. Default constant; `from` defaults to 0.
   */
  readonly schedule?: { readonly spec: ScheduleSpec; readonly from?: number };
  /** Where layers that draw random numbers (dropout) have them from; they need it. */
  readonly random?: Randomness;
  /** Called after each step with the sums of the pass so far. */
  readonly onBatch?: (progress: MetricSums & { readonly pass: number }) => void;
}

export interface EvaluateOptions extends Examples {
  /**
   * Called batch after batch with what `predict` would give of its examples, the first of which is example `first`. The outputs are valid
   * until the call returns.
   */
  readonly onPredictions?: (predictions: Float32Array, first: number) => void;
}

/** A network with its parameters, bound to one kernel instance and one memory. Not for two fits at a time. */
export interface Network {
  readonly spec: NetworkSpec;
  readonly layout: ParameterLayout;
  readonly kernelBuild: string;
  readonly maxBatch: number;
  /** Outputs of one example. */
  readonly outputLength: number;
  /** Takes over all parameters, flat in canonical order. */
  load(flat: Float32Array): void;
  /** Copies all parameters, flat in canonical order, into a new vector or the given one. */
  save(into?: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer>;
  /**
   * Trains and returns the sums of the last pass, each example judged before the step that learns from it. Lets the
   * event loop run about every 40 ms. The bits do not depend on the slices.
   */
  fit(options: FitOptions & DriveOptions): Promise<MetricSums>;
  /** The same without a pause, for workers. */
  fitSync(options: FitOptions): MetricSums;
  /** Judges examples in order. */
  evaluate(options: EvaluateOptions & DriveOptions): Promise<MetricSums>;
  evaluateSync(options: EvaluateOptions): MetricSums;
  /** Predictions, `outputLength` an example: probabilities for classification, values for regression. */
  predict(features: Features["features"], featureScale?: number): Float32Array<ArrayBuffer>;
  /**
   * The gradient of the mean loss of at most `maxBatch` examples as a first step of training would have it, flat in
   * canonical order; 0 for running statistics. Changes no parameter.
   */
  gradient(examples: Examples & Pick<FitOptions, "random">): Float32Array<ArrayBuffer>;
}

/**
 * Makes a network of a kernel. Its parameters are zero until `load`. `maxBatch` bounds the batch of every call and sizes
 * its memory. Cheap enough for many, but each reserves address space: use one for many parties in turn where that
 * serves. Throws SPEC_INVALID when the spec makes no network.
 */
export function createNetwork(kernel: Kernel, spec: NetworkSpec, { maxBatch }: { readonly maxBatch: number }): Network {
  if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) throw new NexusError("USAGE", `maxBatch is ${maxBatch}; it needs a whole number from 1.`);
  const plan = planNetwork(spec);
  const layout = layoutOf(plan);
  const outputLength = lengthOf(plan.outputShape);
  const place = layOutNetwork(kernel, spec, maxBatch);
  const { memory, layers, loss } = place;
  const targetKind = lossDefinition(spec.loss)!.targets;
  const feeder = createFeeder({ ...place, inputLength: spec.inputLength, outputLength, targetKind, maxBatch });
  const vector = (address: number) => new Float32Array(memory.buffer, address, layout.length);
  const weights = vector(place.weights);
  const losses = new Float32Array(memory.buffer, place.losses, maxBatch);
  let fitting = false;
  let steps = 0;

  function trainingStep(random: Randomness | undefined, step: number): TrainingStep {
    return {
      stream(name) {
        if (random === undefined) throw new NexusError("USAGE", `The layer ${name} draws random numbers; the call names none for it.`);
        return randomStream(random.seed, ...random.path, step, name);
      },
    };
  }

  /** f64 sum of the losses of a batch onto what came before, in order. */
  function addLosses(rows: number, before: number): number {
    let sum = before;
    for (let row = 0; row < rows; row += 1) sum += losses[row]!;
    return sum;
  }

  function* fitSteps(options: FitOptions): Generator<void, MetricSums> {
    const { batchSize, optimiser, proximalMu = 0, gradientCorrection, keepOptimiserState = false, schedule, random, onBatch } = options;
    const count = feeder.check(options);
    const passes = options.order instanceof Uint32Array ? [options.order] : options.order;
    for (const order of passes) checkOrder(order, count);
    if (!Number.isSafeInteger(batchSize) || batchSize < 1 || batchSize > maxBatch) {
      throw new NexusError("USAGE", `The batch size is ${batchSize}; this network takes from 1 to ${maxBatch}.`);
    }
    if (!(proximalMu >= 0 && proximalMu < Infinity)) throw new NexusError("USAGE", `proximalMu is ${proximalMu}; it must be at least 0 and finite.`);
    if (gradientCorrection !== undefined && (proximalMu !== 0 || gradientCorrection.length !== layout.length)) {
      throw new NexusError(
        "USAGE",
        `A correction of ${gradientCorrection.length} gradients goes with ${layout.length} parameters and no proximalMu.`,
      );
    }
    const definition = optimiserDefinition(optimiser);
    if (definition === undefined) {
      throw new NexusError("USAGE", `There is no optimiser ${JSON.stringify(optimiser.kind)}; there are ${OPTIMISER_KINDS.join(", ")}.`);
    }
    definition.check(optimiser);
    if (plan.draws && random === undefined) {
      throw new NexusError("USAGE", "The network has layers that draw random numbers; `random` must name the stream they draw from.");
    }
    if (schedule !== undefined) scheduleFactor(schedule.spec, schedule.from ?? 0);
    if (fitting) throw new NexusError("USAGE", "The network is being trained already; a second fit needs a network of its own.");

    fitting = true;
    try {
      if (!keepOptimiserState) {
        steps = 0;
        for (const address of place.state.slice(0, definition.stateVectors(optimiser))) vector(address).fill(0);
      }
      if (proximalMu !== 0) vector(place.anchor).set(weights);
      if (gradientCorrection !== undefined) vector(place.anchor).set(gradientCorrection);
      const update = definition.bind(optimiser, { ...place, count: layout.length, proximalMu });
      let sums: MetricSums = { examples: 0, loss: 0, correct: 0 };
      for (const [pass, order] of passes.entries()) {
        sums = { examples: 0, loss: 0, correct: 0 };
        for (let start = 0; start < order.length; start += batchSize) {
          const rows = Math.min(batchSize, order.length - start);
          feeder.gather(options, order, start, rows);
          layers.forward(rows, trainingStep(random, steps + 1));
          const correct = loss.judge(rows, place.outputGradient);
          layers.backward(rows, place.outputGradient, 0);
          if (gradientCorrection !== undefined) place.kernel.add(place.gradient, place.anchor, place.gradient, layout.length);
          update(steps + 1, schedule === undefined ? 1 : scheduleFactor(schedule.spec, (schedule.from ?? 0) + steps));
          layers.afterUpdate?.();
          steps += 1;
          sums = { examples: sums.examples + rows, loss: addLosses(rows, sums.loss), correct: sums.correct + correct };
          onBatch?.({ ...sums, pass });
          yield;
        }
      }
      return sums;
    } finally {
      fitting = false;
    }
  }

  function* evaluateSteps({ onPredictions, ...examples }: EvaluateOptions): Generator<void, MetricSums> {
    const count = feeder.check(examples);
    let sums: MetricSums = { examples: 0, loss: 0, correct: 0 };
    for (let start = 0; start < count; start += maxBatch) {
      const rows = Math.min(maxBatch, count - start);
      feeder.take(examples, start, rows);
      layers.forward(rows);
      const correct = loss.judge(rows, 0);
      sums = { examples: sums.examples + rows, loss: addLosses(rows, sums.loss), correct: sums.correct + correct };
      if (onPredictions !== undefined) {
        loss.predict(rows, place.outputGradient);
        onPredictions(new Float32Array(memory.buffer, place.outputGradient, rows * outputLength), start);
      }
      yield;
    }
    return sums;
  }

  return {
    spec,
    layout,
    kernelBuild: kernel.build,
    maxBatch,
    outputLength,
    load(flat) {
      if (fitting) throw new NexusError("USAGE", "The network is being trained; its parameters cannot be replaced meanwhile.");
      if (flat.length !== layout.length) throw new NexusError("USAGE", `The network has ${layout.length} parameters; ${flat.length} were given.`);
      weights.set(flat);
    },
    save(into = new Float32Array(layout.length)) {
      into.set(weights);
      return into;
    },
    fit: (options) => driveInSlices(fitSteps(options), options),
    fitSync: (options) => drive(fitSteps(options)),
    evaluate: (options) => driveInSlices(evaluateSteps(options), options),
    evaluateSync: (options) => drive(evaluateSteps(options)),
    predict(features, featureScale) {
      const given: Features = featureScale === undefined ? { features } : { features, featureScale };
      const count = feeder.checkFeatures(given);
      const predictions = new Float32Array(count * outputLength);
      const batch = new Float32Array(memory.buffer, place.outputGradient, maxBatch * outputLength);
      for (let start = 0; start < count; start += maxBatch) {
        const rows = Math.min(maxBatch, count - start);
        feeder.takeFeatures(given, start, rows);
        layers.forward(rows);
        loss.predict(rows, place.outputGradient);
        predictions.set(batch.subarray(0, rows * outputLength), start * outputLength);
      }
      return predictions;
    },
    gradient(examples) {
      const count = feeder.check(examples);
      if (count < 1 || count > maxBatch) throw new NexusError("USAGE", `A gradient is of 1 to ${maxBatch} examples; ${count} were given.`);
      feeder.take(examples, 0, count);
      layers.forward(count, trainingStep(examples.random, 1));
      loss.judge(count, place.outputGradient);
      layers.backward(count, place.outputGradient, 0);
      return vector(place.gradient).slice();
    },
  };
}

function checkOrder(order: Uint32Array, count: number): void {
  const wrong = order.find((example) => example >= count);
  if (wrong !== undefined) throw new NexusError("USAGE", `The order names example ${wrong}; there are ${count}, from 0.`);
}
