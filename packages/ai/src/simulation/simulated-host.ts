import { NexusError } from "@ciphernx/core/errors";
import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { type Accumulator, type AggregationKernel, createAccumulator, decodeExtras, type SumTile } from "../aggregation/index.ts";
import { close } from "../federation/round/close.ts";
import type { Preprocessing } from "../data/preprocess/index.ts";
import { fittedPreprocessing } from "../federation/round/fitted-preprocessing.ts";
import { nextModel } from "../federation/round/next-model.ts";
import { baseTotals, evaluationTotals } from "../federation/round/phase-totals.ts";
import { splitExtras } from "../federation/round/riding-metrics.ts";
import type { Phase, PhaseKind, RoundHost } from "../federation/round/run-round.ts";
import { uploadLayout } from "../federation/round/upload-layout.ts";
import type { RunPlan, RunSpec } from "../spec/index.ts";
import type { RoundInstruction, Strategy } from "../strategy/index.ts";
import { keptLength } from "../strategy/party-values.ts";
import { gatherShared, scatterShared, sharingOf } from "../strategy/sharing.ts";
import { encodeSafetensors, parameterLayout, viewParameters } from "../tensor/index.ts";
import { ringOf, sumContext, sumRules } from "../federation/sum/sum-terms.ts";
import { createOwnValues } from "./own-values.ts";
import { maskedSum } from "./sums/masked-sum.ts";
import type { SumTerms } from "./sums/steps.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** What stands for the id of a run. */
export const SIMULATED_RUN = "simulation";

export interface SimulatedHostOptions {
  readonly pool: WorkerPool;
  readonly kernel: AggregationKernel;
  readonly spec: RunSpec;
  readonly plan: RunPlan;
  readonly strategy: Strategy;
  /** The model before the first round, flat. */
  readonly initial: Float32Array;
  /** SHA-256 in hex; a faster one than the default where the platform has it. */
  readonly digest?: (bytes: Uint8Array) => string;
  readonly onRefused: (phase: Phase, refused: { readonly party: string; readonly code: string; readonly message: string }) => void;
  /** Told how many parties judged a round's model. */
  readonly onJudged: (parties: number) => void;
  readonly onAbandoned: (phase: Phase, missing: readonly string[]) => void;
}

/** The round engine's host in memory: parties are turns of a worker pool, and their vectors are summed where they are made. */
export interface SimulatedHost extends RoundHost {
  /** How rows become inputs; null before it is known, and where nothing is prepared. */
  preprocessing(): Preprocessing | null;
  /** The committed model as its canonical safetensors file. */
  modelFile(): Uint8Array<ArrayBuffer>;
}

export async function simulatedHost(options: SimulatedHostOptions): Promise<SimulatedHost> {
  const { pool, kernel, spec, plan, strategy, initial, digest = (bytes) => bytesToHex(sha256(bytes)), onRefused, onJudged, onAbandoned } = options;
  const layout = parameterLayout(plan.model.tensors.map(({ name, shape }) => [name, shape]));
  const sharing = sharingOf(plan.model);
  const layouts = { statistics: uploadLayout(plan, "statistics"), fit: uploadLayout(plan, "fit"), evaluate: uploadLayout(plan, "evaluate") };
  const fitLayout = layouts.fit;
  const accumulators = new Map<PhaseKind, Accumulator>();
  const indexOf = new Map(plan.parties.map(({ name }, index) => [name, index]));

  const shared = new SharedArrayBuffer(layout.length * 4);
  const longest = plan.protection === undefined ? Math.max(...Object.values(layouts).map(({ length }) => length)) : 0;
  const sums = Array.from({ length: pool.size }, () => new SharedArrayBuffer(longest * 8));
  await pool.loadRun({ spec, plan, parameters: shared }, sums);

  const keeping = keptLength(sharing, strategy);
  const own = keeping === 0 ? undefined : createOwnValues(keeping * 4);
  const planned = plan.parties.reduce((sum, { trainExamples }) => sum + trainExamples, 0);
  /** The strategy's vectors for the workers to read, once there are any. */
  const sent = new Map(
    strategy.party?.receivesState === true ? strategy.state.map(({ name }) => [name, new SharedArrayBuffer(sharing.length * 8)]) : [],
  );
  const primitives = plan.protection === undefined ? undefined : await nodeSecAgg();
  /** Sums of protected phases, unmasked. */
  const unmasked = new Map<PhaseKind, BigInt64Array<ArrayBuffer>>();
  const hashOf = (parameters: Float32Array) => digest(encodeSafetensors(viewParameters(parameters, layout)));
  let committed = initial;
  let committedHash = hashOf(initial);
  let state = new Map<string, Float64Array>();
  let stepped: { readonly hash: string; readonly parameters: Float32Array; readonly state: Map<string, Float64Array> } | undefined;
  let instruction: RoundInstruction | undefined;
  let preprocessing: Preprocessing | null = null;

  /** The sum of a phase over all workers. */
  function summed(kind: PhaseKind) {
    const hidden = unmasked.get(kind);
    if (hidden !== undefined) return hidden;
    const { length, dtype } = layouts[kind];
    const accumulator = accumulators.get(kind) ?? createAccumulator(kernel, length, dtype);
    accumulators.set(kind, accumulator);
    accumulator.reset();
    for (const sum of sums) accumulator.addPartial(new BigInt64Array(sum, 0, accumulator.length));
    return accumulator.sum;
  }

  /** As the parties have it for a fit: what the last committed round left. */
  function sentState(kind: PhaseKind) {
    if (kind === "evaluate" || sent.size === 0 || state.size === 0) return {};
    for (const [name, shared] of sent) new Float64Array(shared).set(state.get(name)!);
    return { server: Object.fromEntries(sent) };
  }

  /** What the parties of a protected phase know of its sum. */
  function sumTerms(phase: Phase): SumTerms | undefined {
    if (plan.protection === undefined) return undefined;
    const baseModelHash = phase.kind === "evaluate" ? (stepped?.hash ?? committedHash) : committedHash;
    const context = sumContext({ ...phase, runId: SIMULATED_RUN, planHash: plan.planHash, baseModelHash });
    return { context, size: plan.parties.length, rules: sumRules(plan, phase.kind), ring: ringOf(plan) };
  }

  return {
    durably: (_step, action) => action(),

    async invite(phase, given) {
      instruction = given;
      new Float32Array(shared).set(phase.kind === "fit" ? committed : (stepped?.parameters ?? committed));
    },

    async collect(phase, parties, rule) {
      const chosen = Uint32Array.from(parties, (party) => indexOf.get(party)!);
      const sum = sumTerms(phase);
      const answers = await pool.runPhase({
        phase: phase.kind,
        round: phase.round,
        parties: chosen,
        config: instruction?.config ?? {},
        ...own?.of(phase.kind, parties),
        ...(preprocessing === null ? {} : { preprocessing }),
        ...sentState(phase.kind),
        ...(sum === undefined ? {} : { sum }),
      });
      const accepted = new Set(answers.flatMap((answer) => answer.accepted));
      for (const refused of answers.flatMap((answer) => answer.failed)) onRefused(phase, refused);
      const standings = parties.map((party) => ({ party, state: accepted.has(party) ? ("accepted" as const) : ("refused" as const) }));
      const decision = close(standings, { ...rule, deadlineUnixMs: 0 }, 0);
      // Nobody is waited for in a simulation: whoever has not answered has failed.
      const tooFew = { kind: "abandon", missing: parties.filter((party) => !accepted.has(party)) } as const;
      if (decision.kind === "wait") return tooFew;
      if (decision.kind === "abandon" || sum === undefined || primitives === undefined) return decision;
      if (decision.accepted.length < Math.max(2, sum.rules.quorum)) return tooFew;
      const members = decision.accepted.map((party) => indexOf.get(party)!).toSorted((a, b) => a - b);
      const { length } = layouts[phase.kind];
      unmasked.set(phase.kind, await maskedSum({ terms: sum, members, length, primitives, take: (step, inputs) => pool.takeSumStep(step, inputs) }));
      return decision;
    },

    async aggregate({ round }, accepted) {
      own?.take(accepted);
      const sum = summed("fit");
      const { update: extras, base: judged } = splitExtras(plan, decodeExtras(sum.subarray(fitLayout.parameters), fitLayout));
      const aggregation = strategy.aggregateFit({ round, weight: extras.weight, planned, metrics: extras.metrics });
      const wholeOf = (index: number): SumTile[] => [{ offset: 0, sum: sum.subarray(index * sharing.length, (index + 1) * sharing.length) }];
      const vectorSums = Object.fromEntries((plan.strategyVectors ?? []).map((name, index) => [name, wholeOf(index + 1).values()]));
      const base = sharing.localLength === 0 ? committed : gatherShared(committed.slice(), sharing);
      const readState = (name: string) => Promise.resolve(state.get(name)?.slice());
      const tiles = nextModel({
        kernel,
        plan,
        strategy,
        aggregation,
        extras,
        sums: wholeOf(0),
        vectorSums,
        readBase: () => Promise.resolve(base),
        readState,
      });
      for await (const tile of tiles) {
        const parameters = sharing.localLength === 0 ? tile.parameters : committed.slice();
        if (sharing.localLength > 0) scatterShared(tile.parameters, parameters, sharing);
        stepped = { hash: hashOf(parameters), parameters, state: new Map(Object.entries(tile.state)) };
      }
      if (stepped === undefined || accepted.length === 0) throw new NexusError("INTERNAL", `Round ${round} of the simulation has no model.`);
      return { modelHash: stepped.hash, stateHash: null, saturated: extras.saturated, fit: aggregation.metrics, ...baseTotals(plan, judged) };
    },

    async prepare({ kind }) {
      preprocessing = fittedPreprocessing(plan, decodeExtras(summed(kind), layouts[kind]));
    },

    async total({ kind }, accepted) {
      onJudged(accepted.length);
      return evaluationTotals(plan, decodeExtras(summed(kind), layouts[kind]));
    },

    async abandon(phase, _reason, missing) {
      onAbandoned(phase, missing);
    },

    async commit(commit) {
      if (stepped === undefined) throw new NexusError("INTERNAL", `Round ${commit.round} of the simulation has no model.`);
      [committed, committedHash] = [stepped.parameters, stepped.hash];
      state = stepped.state;
    },

    preprocessing: () => preprocessing,
    modelFile: () => encodeSafetensors(viewParameters(committed, layout)),
  };
}
