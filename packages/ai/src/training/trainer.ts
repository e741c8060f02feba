import type { Preprocessing } from "../data/preprocess/index.ts";
import type { ParameterLayout } from "../tensor/index.ts";
import type { PlannedParty, RunSpec, TaskPlan } from "../spec/index.ts";

/** What a party is asked to do with the model of a round. */
export interface TrainingTask {
  /** Parameters in canonical order; the trainer may not write to them, nor read them once it has answered. */
  readonly parameters: Float32Array;
  readonly layout: ParameterLayout;
  readonly spec: RunSpec;
  readonly plan: TaskPlan;
  /** The party's name in the spec: with seed and round it names every random stream. */
  readonly party: string;
  /** What the plan says of the party. */
  readonly planned: PlannedParty;
  readonly round: number;
  /** How rows become inputs, when the plan has steps for it: what the parties' statistics gave before the first round. */
  readonly preprocessing?: Preprocessing;
  /** What the strategy adds for the round, for example `{ proximalMu: 0.01 }`. */
  readonly config: Readonly<Record<string, string | number | boolean>>;
  /** Added to the gradient of every step of a fit, one value for each parameter; only with strategies that correct gradients. */
  readonly correction?: Float32Array;
  readonly signal?: AbortSignal;
}

export interface FitOutcome {
  /** All parameters after training, in canonical order; read at once, never written to. */
  readonly parameters: Float32Array;
  /** Examples that were learnt from: the update's weight in the mean. */
  readonly weight: number;
  /** Sums over these examples by name, never means. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Steps of the optimiser. Default: as many as the spec's `train` section makes of the examples. */
  readonly steps?: number;
}

export interface EvaluateOutcome {
  /** Held-out examples that were judged; 0 when the party has none. */
  readonly weight: number;
  /** Sums over these examples by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Sums that the plan's `heldOutMetrics` are worked out of, by name (`createTally` adds them up); absent when it has none. */
  readonly heldOutSums?: Readonly<Record<string, number>>;
}

/** What a party is asked for before the first round of a run that prepares its rows. */
export type StatisticsTask = Pick<TrainingTask, "spec" | "plan" | "party" | "planned" | "signal">;

export interface StatisticsOutcome {
  /** Training rows that were counted. */
  readonly weight: number;
  /** Counts and sums of the plan's steps, as `rowStatistics` orders them. */
  readonly sums: Float64Array;
}

/** What learns at a party: the built-in networks, or a party's own code. */
export interface Trainer {
  /** Names the code that decides the bits: two trainers of one build give the same bits. */
  readonly kernelBuild: string;
  /** Counts the party's training rows; only trainers of tables that are prepared have it. */
  statistics?(task: StatisticsTask): Promise<StatisticsOutcome>;
  fit(task: TrainingTask): Promise<FitOutcome>;
  evaluate(task: TrainingTask): Promise<EvaluateOutcome>;
}
