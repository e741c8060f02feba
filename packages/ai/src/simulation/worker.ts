/** A thread of the simulator: holds kernels and a trainer, and serves the requests of `worker-messages.ts` in turn. @module */
import { parentPort, workerData } from "node:worker_threads";
import { toNexusError } from "@ciphernx/core/errors";
import { SecAggViolation } from "@ciphernx/crypto/secagg";
import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { type Accumulator, type CoordinateVector, createAccumulator, loadAggregationKernel, newVector } from "../aggregation/index.ts";
import type { Dataset } from "../data/index.ts";
import { countRows } from "../federation/node/count-rows.ts";
import { encode } from "../federation/node/encode.ts";
import { judgeBase } from "../federation/node/judge-base.ts";
import { evaluate } from "../federation/node/evaluate.ts";
import { fit, type FitOptions, type Update } from "../federation/node/fit.ts";
import type { PhaseKind } from "../federation/round/run-round.ts";
import { uploadLayout } from "../federation/round/upload-layout.ts";
import { createNetwork, initialParameters, loadKernel } from "../nn/index.ts";
import { randomStream } from "../random/index.ts";
import { placeLocal, type Sharing, sharingOf } from "../strategy/sharing.ts";
import { type ParameterLayout, parameterLayout } from "../tensor/index.ts";
import { networkTrainer, trainInRound, type TrainingTask } from "../training/index.ts";
import { type ThreadParties, threadParties } from "./sums/thread-parties.ts";
import type {
  AloneAnswer,
  LoadRun,
  PhaseAnswer,
  RunPhase,
  SharedParty,
  SumStepAnswer,
  TakeSumStep,
  TrainAlone,
  WorkerAnswer,
  WorkerRequest,
  WorkerSetup,
} from "./worker-messages.ts";

const { parties, kernel: build } = workerData as WorkerSetup;
const port = parentPort;
if (port === null) throw new TypeError("This module runs as a worker of the simulator.");

const kernel = await loadKernel({ build });
const aggregation = await loadAggregationKernel();
const datasets = new Map(parties.map((party) => [party.name, asDataset(party)]));
const trainer = networkTrainer({ kernel, sync: true, dataset: (_name, party) => Promise.resolve(datasets.get(party)!) });
/** The run, and for each phase its sum and the vector that every party in turn is encoded into. */
let run:
  | (LoadRun & {
      readonly layout: ParameterLayout;
      readonly sharing: Sharing;
      /** Nothing is added here in a protected sum. */
      readonly sums: Map<string, { readonly accumulator: Accumulator | undefined; readonly vector: CoordinateVector }>;
    })
  | undefined;
/** The parties of the protected sum under way. */
let inSum: ThreadParties | undefined;
/** The change of the party whose turn it is. */
let delta = new Float32Array();

port.on("message", (request: WorkerRequest) => {
  void serve(request)
    .catch((error: unknown): WorkerAnswer => ({ kind: "error", message: error instanceof Error ? (error.stack ?? error.message) : String(error) }))
    .then((answer) => port.postMessage(answer));
});
port.postMessage({ kind: "ready" } satisfies WorkerAnswer);

async function serve(request: WorkerRequest): Promise<WorkerAnswer> {
  switch (request.kind) {
    case "load-run":
      delta = new Float32Array(request.plan.model.parameters);
      run = {
        ...request,
        layout: parameterLayout(request.plan.model.tensors.map(({ name, shape }) => [name, shape])),
        sharing: sharingOf(request.plan.model),
        sums: new Map(),
      };
      return { kind: "loaded" };
    case "run-phase":
      return runPhase(request);
    case "take-sum-step":
      return takeSumStep(request);
    case "train-alone":
      return trainAlone(request);
  }
}

async function runPhase({ phase, round, parties: chosen, config, own, preprocessing, server: sent, sum }: RunPhase): Promise<PhaseAnswer> {
  if (run === undefined) throw new TypeError("A phase came before its run.");
  const { spec, plan, layout, sharing } = run;
  const vectors = uploadLayout(plan, phase);
  const { accumulator, vector } = run.sums.get(phase) ?? {
    accumulator: sum === undefined ? createAccumulator(aggregation, vectors.length, vectors.dtype) : undefined,
    vector: newVector(vectors),
  };
  run.sums.set(phase, { accumulator, vector });
  accumulator?.reset();
  inSum?.wipe();
  inSum = sum && threadParties(sum, await nodeSecAgg());
  const common = new Float32Array(run.parameters);
  const next = new Int32Array(run.next);
  const server = sent && Object.fromEntries(Object.entries(sent).map(([name, vector]) => [name, new Float64Array(vector)]));
  const accepted: string[] = [];
  const failed: PhaseAnswer["failed"][number][] = [];
  for (let turn = Atomics.add(next, 0, 1); turn < chosen.length; turn = Atomics.add(next, 0, 1)) {
    const party = parties[chosen[turn]!]!.name;
    const planned = plan.parties[chosen[turn]!]!;
    const { before, after } = own?.[turn] ?? {};
    const kept = before && new Float32Array(before);
    const parameters = kept === undefined || sharing.localLength === 0 ? common : withOwn(common, kept, sharing);
    const task: TrainingTask = {
      parameters,
      layout,
      spec,
      plan,
      party,
      planned,
      round,
      config,
      ...(preprocessing === undefined ? {} : { preprocessing }),
    };
    try {
      const update = await answer(phase, task, { into: delta, kept, server });
      if (update.kept !== undefined && after !== undefined) new Float32Array(after).set(update.kept);
      const encoded = encode(aggregation, task, phase, update, vector);
      accumulator?.add(encoded);
      await inSum?.keep(chosen[turn]!, encoded.slice());
      accepted.push(party);
    } catch (error) {
      const { code, message } = toNexusError(error);
      failed.push({ party, code, message });
    }
  }
  if (accumulator !== undefined) new BigInt64Array(run.sum, 0, vectors.length).set(accumulator.sum);
  return { kind: "phase", accepted, failed };
}

async function takeSumStep({ step, inputs }: TakeSumStep): Promise<SumStepAnswer> {
  if (inSum === undefined) throw new TypeError("A step came before its sum.");
  try {
    return { kind: "sum-step", outputs: await inSum.take(step, inputs as ReadonlyMap<number, never>) };
  } catch (error) {
    if (error instanceof SecAggViolation) return { kind: "sum-refused", reason: error.reason, message: error.message };
    throw error;
  }
}

/** What a party uploads in a phase, before it is encoded. */
async function answer(phase: PhaseKind, task: TrainingTask, options: FitOptions): Promise<Update> {
  switch (phase) {
    case "statistics":
      return countRows(trainer, task);
    case "fit": {
      const base = await judgeBase(trainer, task);
      return { ...(await fit(trainer, task, options)), heldOutSums: base };
    }
    case "evaluate":
      return { ...(await evaluate(trainer, task)), delta: new Float32Array() };
  }
}

/** The common model with a party's own values in it. */
function withOwn(common: Float32Array, kept: Float32Array, sharing: Sharing): Float32Array {
  const parameters = common.slice();
  placeLocal(kept.subarray(0, sharing.localLength), parameters, sharing);
  return parameters;
}

async function trainAlone({ name, spec, network: architecture, train, test }: TrainAlone): Promise<AloneAnswer> {
  const { batchSize, epochs } = spec.train;
  const network = createNetwork(kernel, architecture, { maxBatch: batchSize });
  network.load(initialParameters(architecture, spec.seed));
  for (let round = 1; round <= spec.rounds; round += 1) {
    const order = Array.from({ length: epochs }, (_, epoch) =>
      randomStream(spec.seed, "shuffle", name, round, epoch).shuffle(Uint32Array.from({ length: train.count }, (_row, row) => row)),
    );
    const { optimiser } = trainInRound(spec.train, round, spec.rounds);
    network.fitSync({ ...train, order, batchSize, optimiser, random: { seed: spec.seed, path: ["dropout", name, round] } });
  }
  const { examples, loss, correct } = network.evaluateSync(test);
  return { kind: "alone", name, parameters: network.save(), examples, loss, correct };
}

function asDataset({ schema, train, test, contentHash }: SharedParty): Dataset {
  return { schema, train, ...(test === undefined ? {} : { test }), contentHash };
}
