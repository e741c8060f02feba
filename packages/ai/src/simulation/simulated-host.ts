import { NexusError } from "@ciphernx/core/errors";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { type AggregationKernel, createAccumulator, decodeExtras, type SumTile, vectorLayout } from "../aggregation/index.ts";
import { close } from "../federation/round/close.ts";
import { nextModel } from "../federation/round/next-model.ts";
import type { Phase, PhaseKind, RoundHost } from "../federation/round/run-round.ts";
import type { RunPlan, RunSpec } from "../spec/index.ts";
import type { RoundInstruction, Strategy } from "../strategy/index.ts";
import { encodeSafetensors, parameterLayout, viewParameters } from "../tensor/index.ts";
import type { WorkerPool } from "./worker-pool.ts";

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
  readonly onAbandoned: (phase: Phase, missing: readonly string[]) => void;
}

/** The round engine's host in memory: parties are turns of a worker pool, and their vectors are summed where they are made. */
export interface SimulatedHost extends RoundHost {
  /** The committed model as its canonical safetensors file. */
  modelFile(): Uint8Array<ArrayBuffer>;
}

export async function simulatedHost(options: SimulatedHostOptions): Promise<SimulatedHost> {
  const { pool, kernel, spec, plan, strategy, initial, digest = (bytes) => bytesToHex(sha256(bytes)), onRefused, onAbandoned } = options;
  const layout = parameterLayout(plan.model.tensors.map(({ name, shape }) => [name, shape]));
  const fitLayout = vectorLayout(plan.model.parameters, plan.metricNames, plan.encoding);
  const evaluateLayout = vectorLayout(0, plan.metricNames, plan.encoding);
  const total = createAccumulator(kernel, fitLayout.length, fitLayout.dtype);
  const totalEvaluated = createAccumulator(kernel, evaluateLayout.length, evaluateLayout.dtype);
  const indexOf = new Map(plan.parties.map(({ name }, index) => [name, index]));

  const shared = new SharedArrayBuffer(layout.length * 4);
  const sums = Array.from({ length: pool.size }, () => new SharedArrayBuffer(fitLayout.length * 8));
  await pool.loadRun({ spec, plan, parameters: shared }, sums);

  let committed = initial;
  let state = new Map<string, Float64Array>();
  let stepped: { readonly hash: string; readonly parameters: Float32Array; readonly state: Map<string, Float64Array> } | undefined;
  let instruction: RoundInstruction | undefined;

  /** The sum of a phase over all workers. */
  function summed(kind: PhaseKind) {
    const accumulator = kind === "fit" ? total : totalEvaluated;
    accumulator.reset();
    for (const sum of sums) accumulator.addPartial(new BigInt64Array(sum, 0, accumulator.length));
    return accumulator.sum;
  }

  return {
    durably: (_step, action) => action(),

    async invite(phase, given) {
      instruction = given;
      new Float32Array(shared).set(phase.kind === "fit" ? committed : (stepped?.parameters ?? committed));
    },

    async collect(phase, parties, rule) {
      const chosen = Uint32Array.from(parties, (party) => indexOf.get(party)!);
      const answers = await pool.runPhase({ phase: phase.kind, round: phase.round, parties: chosen, config: instruction?.config ?? {} });
      const accepted = new Set(answers.flatMap((answer) => answer.accepted));
      for (const refused of answers.flatMap((answer) => answer.failed)) onRefused(phase, refused);
      const standings = parties.map((party) => ({ party, state: accepted.has(party) ? ("accepted" as const) : ("refused" as const) }));
      const decision = close(standings, { ...rule, deadlineUnixMs: 0 }, 0);
      // Nobody is waited for in a simulation: whoever has not answered has failed.
      return decision.kind === "wait" ? { kind: "abandon", missing: parties.filter((party) => !accepted.has(party)) } : decision;
    },

    async aggregate({ round }, accepted) {
      const sum = summed("fit");
      const extras = decodeExtras(sum.subarray(layout.length), fitLayout);
      const aggregation = strategy.aggregateFit({ round, weight: extras.weight, metrics: extras.metrics });
      const whole: SumTile[] = [{ offset: 0, sum: sum.subarray(0, layout.length) }];
      const readState = (name: string) => Promise.resolve(state.get(name)?.slice());
      const tiles = nextModel({ kernel, plan, strategy, aggregation, extras, sums: whole, readBase: () => Promise.resolve(committed), readState });
      for await (const tile of tiles) {
        const hash = digest(encodeSafetensors(viewParameters(tile.parameters, layout)));
        stepped = { hash, parameters: tile.parameters, state: new Map(Object.entries(tile.state)) };
      }
      if (stepped === undefined || accepted.length === 0) throw new NexusError("INTERNAL", `Round ${round} of the simulation has no model.`);
      return { modelHash: stepped.hash, stateHash: null, saturated: extras.saturated, fit: aggregation.metrics };
    },

    total: () => Promise.resolve(decodeExtras(summed("evaluate"), evaluateLayout)),

    async abandon(phase, _reason, missing) {
      onAbandoned(phase, missing);
    },

    async commit(commit) {
      if (stepped === undefined) throw new NexusError("INTERNAL", `Round ${commit.round} of the simulation has no model.`);
      committed = stepped.parameters;
      state = stepped.state;
    },

    modelFile: () => encodeSafetensors(viewParameters(committed, layout)),
  };
}
