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

/**
 * How a run learns from its parties: what they are asked, and what the server makes of their answers. It keeps
 * nothing between calls; what must outlive a round is in the state vectors, which the engine stores.
 */
export interface Strategy {
  readonly kind: string;
  readonly state: readonly StateVector[];
  configureFit(cohort: RoundCohort): RoundInstruction;
  aggregateFit(totals: RoundTotals): FitAggregation;
  configureEvaluate(cohort: RoundCohort): RoundInstruction;
  aggregateEvaluate(totals: RoundTotals): RoundMeans;
}
