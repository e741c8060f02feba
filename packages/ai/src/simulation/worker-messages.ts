import type { ViolationReason } from "@ciphernx/crypto/secagg";
import type { DatasetSchema, Examples } from "../data/index.ts";
import type { Preprocessing } from "../data/preprocess/index.ts";
import type { PhaseKind } from "../federation/round/run-round.ts";
import type { KernelBuild, NetworkSpec } from "../nn/index.ts";
import type { RunPlan, RunSpec } from "../spec/index.ts";
import type { SumStep, SumSteps, SumTerms } from "./sums/steps.ts";

/** What a worker is started with. Rows and vectors lie in shared memory: nothing is copied from thread to thread. */
export interface WorkerSetup {
  readonly parties: readonly SharedParty[];
  /** Build of the training kernels. */
  readonly kernel: KernelBuild;
}

export interface SharedParty {
  readonly name: string;
  readonly schema: DatasetSchema;
  readonly train: Examples;
  readonly test?: Examples;
  readonly contentHash: string;
}

/** The run that the phases to come belong to. */
export interface LoadRun {
  readonly kind: "load-run";
  readonly spec: RunSpec;
  readonly plan: RunPlan;
  /** The round's base model, f32, written by the engine before each phase. */
  readonly parameters: SharedArrayBuffer;
  /** Where the worker leaves its sum of a phase, int64: parameters and extras. Empty in a protected run. */
  readonly sum: SharedArrayBuffer;
  /** One int32: the next of the phase's parties; workers take turns by adding to it. */
  readonly next: SharedArrayBuffer;
}

/** Fits or evaluates parties of the phase until none is left, adding each vector to the worker's sum; in a protected sum it is kept to be masked. */
export interface RunPhase {
  readonly kind: "run-phase";
  readonly phase: PhaseKind;
  readonly round: number;
  /** Indices into the setup's parties. */
  readonly parties: Uint32Array;
  readonly config: Readonly<Record<string, number>>;
  /** One for each of `parties`, when they keep values to themselves. */
  readonly own?: readonly OwnValues[];
  /** How rows become inputs, once that is known. */
  readonly preprocessing?: Preprocessing;
  /** The strategy's vectors by name, f64, when the parties are sent them. */
  readonly server?: Readonly<Record<string, SharedArrayBuffer>>;
  /** The sum that the vectors are masked for; absent in a run without protection. */
  readonly sum?: SumTerms;
}

/** Has parties of the phase that the worker stands in for take a step of its protected sum. */
export interface TakeSumStep {
  readonly kind: "take-sum-step";
  readonly step: SumStep;
  /** By place in the plan's list. */
  readonly inputs: ReadonlyMap<number, unknown>;
}

/** The values that a party keeps to itself, f32, one tensor after the other as `keptTensors` lists them. */
export interface OwnValues {
  /** As its last fit that counted left them; absent before the first: then those of the base model. */
  readonly before?: SharedArrayBuffer;
  /** Where a fit leaves them. */
  readonly after?: SharedArrayBuffer;
}

/** Trains one network on rows of its own, round after round, and judges it: what a party reaches without the others. Rows are inputs already. */
export interface TrainAlone {
  readonly kind: "train-alone";
  readonly name: string;
  readonly spec: RunSpec;
  readonly network: NetworkSpec;
  readonly train: Examples;
  readonly test: Examples;
}

export type WorkerRequest = LoadRun | RunPhase | TakeSumStep | TrainAlone;

export interface PhaseAnswer {
  readonly kind: "phase";
  readonly accepted: readonly string[];
  readonly failed: readonly { readonly party: string; readonly code: string; readonly message: string }[];
}

/** What the parties handed in, or why one of them goes no further. */
export type SumStepAnswer =
  | { readonly kind: "sum-step"; readonly outputs: ReadonlyMap<number, SumSteps[SumStep]["gives"]> }
  | { readonly kind: "sum-refused"; readonly reason: ViolationReason; readonly message: string };

export interface AloneAnswer {
  readonly kind: "alone";
  readonly name: string;
  /** In canonical order. */
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly examples: number;
  readonly loss: number;
  readonly correct: number;
}

export type WorkerAnswer =
  | PhaseAnswer
  | SumStepAnswer
  | AloneAnswer
  | { readonly kind: "ready" }
  | { readonly kind: "loaded" }
  | { readonly kind: "error"; readonly message: string };
