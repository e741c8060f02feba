import type { Refusal } from "@ciphernx/core/spec";
import type { TrainOptions } from "../training/section.ts";

/** Who was chosen for a round. */
export interface RoundCohort {
  /** Counted from 1. */
  readonly round: number;
  /** Names of the spec, sorted. */
  readonly parties: readonly string[];
}

/** Who is asked in a round, and what the strategy adds to their tasks. */
export interface RoundInstruction {
  readonly parties: readonly string[];
  /** Goes to each node as canonical JSON, for example `proximalMu`. */
  readonly config: Readonly<Record<string, number>>;
}

/** The sums that the accepted parties of a round reported, added up. */
export interface RoundTotals {
  /** Counted from 1. */
  readonly round: number;
  /** Σ of examples. */
  readonly weight: number;
  /** Training rows of all parties of the plan, also of those that took no part. */
  readonly planned: number;
  /** Σ over all those examples, by the name of the metric. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Means over all examples of a round, by name: `loss`, `accuracy`, … */
export type RoundMeans = Readonly<Record<string, number>>;

/** A vector of one value for each parameter that the server keeps from round to round, in f64. */
export interface StateVector {
  readonly name: string;
  /** Every coordinate's value before the first round. */
  readonly initial: number;
}

/**
 * A run of parameters with what the step needs of them; every array has the same length, and coordinates do not touch each
 * other, so a model may be cut into tiles anywhere.
 */
export interface StepTile {
  /** Parameters before the round. */
  readonly base: Float32Array;
  /** Weighted mean of the parties' changes (after − before). */
  readonly meanDelta: Float32Array;
  /** Weighted means of the further vectors that the parties uploaded, by name. */
  readonly vectors: Readonly<Record<string, Float32Array>>;
  /** The server's state by name; overwritten with the new state. */
  readonly state: Readonly<Record<string, Float64Array>>;
  /** Where the new parameters are written; may be `base` itself. */
  readonly parameters: Float32Array;
}

/** What became of a round's updates. */
export interface FitAggregation {
  readonly metrics: RoundMeans;
  /**
   * The server's step on one tile: f64 + − × ÷ √ in fixed order for each coordinate, the new parameters rounded to f32 and the state
   * kept in f64, so every host gives the same bits. Each tile must be stepped once.
   */
  step(tile: StepTile): void;
}

/** What a party has beside its rows and the round's model: vectors of one value for each shared parameter, by name. */
export interface PartyGiven {
  /** The server's state, when the strategy sends it. */
  readonly server: Readonly<Record<string, Float64Array>>;
  /** What the party kept from its last round; zeros before the first. */
  readonly kept: Readonly<Record<string, Float32Array>>;
}

/** What a party's training gave. */
export interface PartyUpdate {
  /** Change of the shared parameters; may be changed in place. */
  readonly delta: Float32Array;
  /** Examples. */
  readonly weight: number;
  /** Steps of the party's optimiser, when its trainer counts them. */
  readonly steps?: number;
  readonly given: PartyGiven;
}

/** What a party makes of its update. */
export interface PartyOutcome {
  /** By name, one for each of the step's `sums`. */
  readonly sums?: Readonly<Record<string, number>>;
  /** In the order of the step's `vectors`. */
  readonly vectors?: readonly Float32Array[];
  /** In the order of the step's `keeps`. */
  readonly kept?: readonly Float32Array[];
}

/** What all parties know of a run's training. */
export interface TrainingFacts {
  /** The learning rate is that of the round. */
  readonly train: TrainOptions;
  /** Training rows of the plan's party that has most. */
  readonly mostTrainExamples: number;
}

/** What each party does to its update before it is encoded, so that the server needs nothing but sums. */
export interface PartyStep {
  /**
   * Names of the sums that a fit uploads beside the run's metrics; each is from 0 to the update's weight. A dot in a name keeps it
   * apart from metrics.
   */
  readonly sums: readonly string[];
  /** Vectors that a fit uploads behind the change, one value for each shared parameter, encoded like it. */
  readonly vectors?: readonly string[];
  /** Vectors that the party keeps from round to round, f32, zero at first. */
  readonly keeps?: readonly string[];
  /** Whether the parties are sent the server's state with the model. */
  readonly receivesState?: boolean;
  /** What is added to the gradient of every step: one value for each shared parameter. */
  correction?(given: PartyGiven): Float32Array;
  /** May change the update in place: f64 + − × ÷ √ in fixed order. */
  prepare(update: PartyUpdate, facts: TrainingFacts): PartyOutcome;
}

/** What `compile` asks a strategy about. */
export interface StrategyTerms {
  readonly train: TrainOptions;
  /** Shared tensors that gradients do not move, for example running statistics. */
  readonly untrained: readonly string[];
}

/**
 * How a run learns from its parties: what they are asked, and what the server makes of their answers. It keeps
 * nothing between calls; what must outlive a round is in the state vectors, which the engine stores.
 */
export interface Strategy {
  readonly kind: string;
  readonly state: readonly StateVector[];
  /** Absent when parties upload their changes and metrics as they are. */
  readonly party?: PartyStep;
  /** Whether it has to see each party's update, as robust aggregation does: nothing that hides updates goes with it. Default false. */
  readonly needsUpdates?: boolean;
  /** Why the parties' training does not go with the strategy, if so. */
  check?(terms: StrategyTerms): Refusal | undefined;
  configureFit(cohort: RoundCohort): RoundInstruction;
  aggregateFit(totals: RoundTotals): FitAggregation;
  configureEvaluate(cohort: RoundCohort): RoundInstruction;
  aggregateEvaluate(totals: Omit<RoundTotals, "planned">): RoundMeans;
}
