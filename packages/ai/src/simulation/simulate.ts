import { createHash } from "node:crypto";
import { NexusError } from "@ciphernx/core/errors";
import { type Json } from "@ciphernx/core/spec";
import { loadAggregationKernel } from "../aggregation/index.ts";
import { describeDataset, type PartyDataset } from "../data/index.ts";
import type { RoundSummary, RunEvent, RunEventBody } from "../federation/events.ts";
import { addToHistory } from "../federation/round-history.ts";
import { type CommittedRound, contributions } from "../federation/round/contributions.ts";
import { preprocessingSummary } from "../federation/round/fitted-preprocessing.ts";
import { type RoundCommit, type RoundOutcome, runRound } from "../federation/round/run-round.ts";
import { runStatistics, STATISTICS_ROUND } from "../federation/round/run-statistics.ts";
import { downloadBytes, taskFileSizeBytes } from "../federation/round/upload-layout.ts";
import { initialModel, modelCard } from "../models/index.ts";
import { type KernelBuild, loadKernel } from "../nn/index.ts";
import { compileOrThrow, type CompileFacts, type RunPlan, type RunSpec } from "../spec/index.ts";
import { createStrategy } from "../strategy/index.ts";
import { compareNames, flattenParameters, parameterLayout } from "../tensor/index.ts";
import { SIMULATED_RUN, simulatedHost } from "./simulated-host.ts";
import type { SharedParty } from "./worker-messages.ts";
import { defaultWorkers, startWorkerPool, type WorkerPool } from "./worker-pool.ts";

export interface SimulateOptions {
  readonly spec: RunSpec;
  /** Every party's data, as `splitDataset(…, { shared: true })` gives it. */
  readonly parties: readonly PartyDataset[];
  /** Threads. Default: one a core. */
  readonly workers?: number;
  /** Build of the training kernels; another than `baseline`, the default, needs a spec with `reproducibility: any-kernel`. */
  readonly kernel?: KernelBuild;
  readonly signal?: AbortSignal;
  /** The events a distributed run would have, as they happen. */
  readonly onEvent?: (event: RunEvent) => void;
}

export interface SimulationResult {
  readonly plan: RunPlan;
  readonly modelHash: string;
  /** The canonical safetensors file. */
  readonly file: Uint8Array<ArrayBuffer>;
  readonly card: Json;
  readonly rounds: readonly RoundSummary[];
}

/**
 * Runs a spec on this machine alone: the production round engine with its parties on a worker pool, no sockets, no database. The model
 * hash is the one that the distributed run of the same spec and data commits.
 * @throws NexusError SPEC_REFUSED, QUORUM_NOT_REACHED, INTERRUPTED, KERNEL_UNSUPPORTED
 */
export async function simulate(options: SimulateOptions): Promise<SimulationResult> {
  const { spec, signal, onEvent = () => {} } = options;
  const [kernel, training] = await Promise.all([loadAggregationKernel(), loadKernel({ build: options.kernel ?? "baseline" })]);
  const byName = new Map(options.parties.map((part) => [part.party, part]));
  const plan = compileOrThrow(spec, simulatedFacts(options.parties, training.build));
  if (plan.model.network === undefined) {
    throw new NexusError("SPEC_REFUSED", "A simulation trains with the built-in networks; this spec's model is of kind tensors.", {
      hint: "Run it with nodes that bring their own trainer (defineNode).",
    });
  }
  const shared = plan.parties.map(({ name }): SharedParty => {
    const { schema, train, test, contentHash } = byName.get(name)!.dataset;
    return { name, schema, train, ...(test === undefined ? {} : { test }), contentHash };
  });
  await using pool = await startWorkerPool(shared, options.workers ?? defaultWorkers(shared.length), options.kernel);

  let number = 0;
  const rounds: RoundSummary[] = [];
  const tell = (body: RunEventBody): void => {
    number += 1;
    addToHistory(rounds, body);
    onEvent({ ...body, number, at: new Date().toISOString() });
  };
  /** Parties of the round under way whose updates were not added. */
  const missed: { readonly attempt: number; readonly party: string }[] = [];
  /** Parties that judged the model of the round under way. */
  let judges = 0;
  const strategy = createStrategy(spec.strategy);
  const layout = parameterLayout(plan.model.tensors.map(({ name, shape }) => [name, shape]));
  const host = await simulatedHost({
    pool,
    kernel,
    spec,
    plan,
    strategy,
    initial: flattenParameters(initialModel(plan, spec.seed), layout),
    digest: (bytes) => createHash("sha256").update(bytes).digest("hex"),
    onRefused({ round, attempt, kind }, { party, code, message }) {
      if (kind === "fit") missed.push({ attempt, party });
      tell({ type: "answer-refused", payload: { round, attempt, kind, party, code, message } });
    },
    onJudged: (parties) => (judges = parties),
    onAbandoned: ({ round, attempt }, missing) => tell({ type: "round-abandoned", payload: { round, attempt, missing } }),
  });

  tell({ type: "run-started", payload: { name: spec.name, rounds: plan.rounds, parties: plan.parties.length } });
  const committed: CommittedRound[] = [];
  if (plan.preprocess !== undefined) {
    const prepared = await untilStopped(signal, pool, STATISTICS_ROUND, () => runStatistics(host, { plan, firstAttempt: 1 }));
    if (prepared.kind !== "committed") throw noQuorum(0, plan, prepared);
    committed.push({ round: STATISTICS_ROUND, accepted: prepared.accepted });
    tell({ type: "rows-prepared", payload: preprocessingSummary(plan, prepared.accepted, host.preprocessing()!) });
  }
  for (let round = 1; round <= plan.rounds; round += 1) {
    if (signal?.aborted === true) throw new NexusError("INTERRUPTED", `The simulation was stopped before round ${round}.`);
    const openedAt = performance.now();
    missed.length = 0;
    judges = 0;
    const input = { spec, plan, strategy, round, firstAttempt: 1, abandoned: 0 };
    const outcome = await untilStopped(signal, pool, round, () => runRound(host, input));
    if (outcome.kind !== "committed") throw noQuorum(round, plan, outcome);
    const { commit } = outcome;
    committed.push({ round, accepted: commit.accepted });
    const without = missed.filter(({ attempt }) => attempt === commit.attempt).map(({ party }) => party);
    const summary = summarise(commit, without.toSorted(compareNames), judges, plan, (performance.now() - openedAt) / 1000);
    if (commit.judgedBase !== null) {
      const { modelHash } = rounds.at(-1)!;
      tell({ type: "round-judged", payload: { round: round - 1, rounds: plan.rounds, evaluated: commit.judgedBase, modelHash } });
    }
    tell({ type: "round-committed", payload: summary });
  }
  const last = rounds.at(-1)!;
  const card = modelCard({
    runId: SIMULATED_RUN,
    spec,
    plan,
    preprocessing: host.preprocessing(),
    initialModelHash: null,
    modelHash: last.modelHash,
    round: plan.rounds,
    contributions: contributions(plan, spec.seed, committed),
    metrics: { fit: last.fit, evaluated: last.evaluated },
  });
  tell({ type: "run-finished", payload: { outcome: "completed", reason: null, modelHash: last.modelHash, modelId: null } });
  return { plan, modelHash: last.modelHash, file: host.modelFile(), card, rounds };
}

/** Ends the threads when the signal aborts: a round of many parties takes minutes. @throws NexusError INTERRUPTED */
async function untilStopped<T>(signal: AbortSignal | undefined, pool: WorkerPool, round: number, work: () => Promise<T>): Promise<T> {
  const stop = (): void => void pool.close();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) throw new NexusError("INTERRUPTED", `The simulation was stopped in round ${round}.`, { cause: error });
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function noQuorum(round: number, { cohort }: RunPlan, outcome: Exclude<RoundOutcome, { readonly kind: "committed" }>): NexusError {
  const missing = outcome.kind === "failed" ? outcome.missing.join(", ") : "";
  return new NexusError("QUORUM_NOT_REACHED", `Round ${round} of the simulation had no quorum of ${cohort.quorum}; these failed: ${missing}.`);
}

/** What `compile` knows of simulated parties: what their nodes would have registered. */
export function simulatedFacts(parties: readonly PartyDataset[], kernelBuild: string): CompileFacts {
  return {
    kernelBuild,
    simulated: true,
    parties: parties
      .toSorted((a, b) => compareNames(a.party, b.party))
      .map(({ party, dataset }) => ({ name: party, kernelBuild, dataset: describeDataset(dataset) })),
  };
}

function summarise(commit: RoundCommit, missed: readonly string[], judges: number, plan: RunPlan, seconds: number): RoundSummary {
  const { round, attempt, accepted, stepped, evaluated } = commit;
  return {
    round,
    rounds: plan.rounds,
    attempt,
    accepted: accepted.length,
    missed,
    fit: stepped.fit,
    evaluated,
    bytesUp: accepted.length * plan.updateBytes + judges * taskFileSizeBytes(plan, "evaluate"),
    bytesDown: accepted.length * downloadBytes(plan, "fit", round) + judges * downloadBytes(plan, "evaluate", round),
    seconds,
    saturated: stepped.saturated,
    modelHash: stepped.modelHash,
  };
}
