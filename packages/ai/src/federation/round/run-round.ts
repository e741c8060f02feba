import type { RoundInstruction, RoundMeans, Strategy } from "../../strategy/index.ts";
import type { RunPlan, RunSpec } from "../../spec/index.ts";
import type { Closing, ClosingRule } from "./close.ts";
import { gather, type NotGathered } from "./gather.ts";
import { judgesBase } from "./riding-metrics.ts";
import { select } from "./select.ts";

/** statistics: what rows are prepared by, before the first round; fit: training; evaluate: judging on held-out rows. */
export type PhaseKind = "statistics" | "fit" | "evaluate";

/** One request to a set of parties within one attempt at a round. */
export interface Phase {
  readonly kind: PhaseKind;
  /** Counted from 1; statistics are gathered in round 0. */
  readonly round: number;
  /** Counted from 1 within the round. */
  readonly attempt: number;
}

/** Sums over the accepted parties of a phase, decoded. */
export interface PhaseTotals {
  readonly weight: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Metrics of an evaluation that are no means, by name; absent when the plan has none. */
  readonly heldOut?: RoundMeans;
  /** Coordinates that were clipped. */
  readonly saturated: number;
}

/** What adding, decoding and the strategy's step gave. */
export interface SteppedModel {
  readonly modelHash: string;
  /** Blob of the strategy's own vectors; null when it has none. */
  readonly stateHash: string | null;
  readonly saturated: number;
  readonly fit: RoundMeans;
  /** What rode with the updates: how the model does that they start from. Absent where nothing can ride, and where nobody judged. */
  readonly base?: PhaseTotals;
}

export interface RoundCommit {
  readonly round: number;
  readonly attempt: number;
  readonly accepted: readonly string[];
  readonly stepped: SteppedModel;
  readonly evaluated: RoundMeans | null;
  /** Held-out metrics of the model of the round before, where they rode with this round's updates. */
  readonly judgedBase: RoundMeans | null;
}

/** A phase that ended: with an accepted set, without one, or because the run was stopped. */
export type Collected = Exclude<Closing, { kind: "wait" }> | { readonly kind: "stopped" };

/**
 * What the round engine needs of the world. The coordinator's host keeps every step in PostgreSQL and talks to nodes
 * over the wire; the simulator's keeps them in memory and talks to a worker pool. The engine is the same.
 */
export interface RoundHost {
  /** Runs a step once: after a crash its recorded result is returned instead. Results are small JSON. */
  durably<T>(step: string, action: () => Promise<T>): Promise<T>;
  /** Records a phase and gives its tasks to the parties. Doing it twice changes nothing. `modelHash`: the model to judge, in an evaluation. */
  invite(phase: Phase, instruction: RoundInstruction, modelHash: string | undefined): Promise<void>;
  /** Waits for answers until the phase can be closed, and records the accepted set. */
  collect(phase: Phase, parties: readonly string[], rule: Omit<ClosingRule, "deadlineUnixMs">): Promise<Collected>;
  /** Adds the accepted updates, decodes their mean, lets the strategy step. A pure function of the accepted set. */
  aggregate(phase: Phase, accepted: readonly string[]): Promise<SteppedModel>;
  /** Adds the accepted statistics and makes of them how rows become inputs, for all rounds of the run. Doing it twice changes nothing. */
  prepare(phase: Phase, accepted: readonly string[]): Promise<void>;
  /** Adds the accepted evaluations. */
  total(phase: Phase, accepted: readonly string[]): Promise<PhaseTotals>;
  /** Gives up an attempt. `why`: what was wrong with a sum, where that is the reason. */
  abandon(phase: Phase, reason: "quorum" | "stopped", missing: readonly string[], why?: string): Promise<void>;
  /** Makes the round's model the run's model. */
  commit(commit: RoundCommit): Promise<void>;
}

export interface RoundInput {
  readonly spec: RunSpec;
  readonly plan: RunPlan;
  readonly strategy: Strategy;
  readonly round: number;
  /** The attempt to begin with; above 1 when the run was stopped and resumed within the round. */
  readonly firstAttempt: number;
  /** Attempts at this round that were abandoned for want of a quorum: a new draw is made for each. */
  readonly abandoned: number;
}

export type RoundOutcome = { readonly kind: "committed"; readonly commit: RoundCommit } | NotGathered;

/** One round: select → invite → collect → add, decode, step → evaluate → commit. */
export async function runRound(host: RoundHost, input: RoundInput): Promise<RoundOutcome> {
  const { spec, plan, strategy, round, firstAttempt, abandoned } = input;
  const gathered = await gather(host, plan, {
    ...{ kind: "fit", round, firstAttempt, size: plan.cohort.size },
    draw: (tried) => strategy.configureFit({ round, parties: select(plan, spec.seed, round, abandoned + tried) }),
  });
  if (gathered.kind !== "gathered") return gathered;
  const { attempt, accepted } = gathered;

  const stepped = await host.durably("aggregate", () => host.aggregate({ kind: "fit", round, attempt }, accepted));
  const evaluated = await evaluate(host, input, attempt, stepped.modelHash);
  if (evaluated === "stopped") {
    await host.durably("abandon", () => host.abandon({ kind: "fit", round, attempt }, "stopped", []));
    return { kind: "stopped" };
  }
  // What a party says of a base that nobody asked about is nobody's figure.
  const isJudged = judgesBase(plan, spec.evaluate.every, round);
  const judgedBase = isJudged && stepped.base !== undefined ? heldOutMeans(strategy, round - 1, stepped.base) : null;
  const commit: RoundCommit = { round, attempt, accepted, stepped, evaluated, judgedBase };
  await host.durably("commit", () => host.commit(commit));
  return { kind: "committed", commit };
}

/** Judges the new model on the parties' held-out rows, unless the next round's updates will say how it does. Whoever does not answer is left out of the mean; the model does not depend on it. */
async function evaluate(host: RoundHost, input: RoundInput, attempt: number, modelHash: string): Promise<RoundMeans | null | "stopped"> {
  const { spec, plan, strategy, round } = input;
  const { every } = spec.evaluate;
  const last = round === plan.rounds;
  const due = every > 0 && (last || (round % every === 0 && plan.protection?.metricsRide !== true));
  const judges = plan.parties.filter(({ testExamples }) => testExamples > 0).map(({ name }) => name);
  if (!due || judges.length === 0) return null;
  const instruction = strategy.configureEvaluate({ round, parties: judges });

  const phase: Phase = { kind: "evaluate", round, attempt };
  const { parties } = instruction;
  await host.durably("invite to evaluate", () => host.invite(phase, instruction, modelHash));
  const collected = await host.durably("collect evaluations", () => host.collect(phase, parties, { size: parties.length, quorum: 0 }));
  if (collected.kind === "stopped") return "stopped";
  if (collected.kind === "abandon" || collected.accepted.length === 0) return null;
  const totals = await host.durably("total", () => host.total(phase, collected.accepted));
  return heldOutMeans(strategy, round, totals);
}

function heldOutMeans(strategy: Strategy, round: number, { weight, metrics, heldOut }: PhaseTotals): RoundMeans {
  return { ...strategy.aggregateEvaluate({ round, weight, metrics }), ...heldOut };
}
