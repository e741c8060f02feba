import type { Address, KernelExports } from "../kernel-exports.ts";

/** Where the loss of a network reads and writes. */
export interface LossContext {
  readonly kernel: KernelExports;
  /** Outputs of one example. */
  readonly outputLength: number;
  /** The network's outputs. */
  readonly outputs: Address;
  /** Classes (i32, one an example) or values (f32, one an output), as the definition says. */
  readonly targets: Address;
  /** One f32 an example: its loss. */
  readonly losses: Address;
  readonly scratch: Address;
}

/** A loss of a network, ready to run. */
export interface BoundLoss {
  /**
   * Writes the loss of each of the first `rows` examples and, unless `gradient` is 0, the gradient of their mean by the
   * outputs. Returns how many examples are predicted correctly.
   */
  judge(rows: number, gradient: Address): number;
  /** Turns outputs into what a user reads: probabilities for classification, the outputs for regression. */
  predict(rows: number, to: Address): void;
}

/** A kind of loss: one file beside this one, one line in the index. */
export interface LossDefinition {
  /** Whether a target is the index of a class, or one value for each output. */
  readonly targets: "class" | "values";
  /** Numbers of scratch for `maxBatch` examples. */
  scratchFloats(maxBatch: number, outputLength: number): number;
  bind(context: LossContext): BoundLoss;
}
