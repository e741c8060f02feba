import { NexusError } from "@ciphernx/core/errors";
import { type Dataset, requireComplete, schemaText } from "../data/index.ts";
import { rowStatistics } from "../data/preprocess/index.ts";
import { createTally, metricTask } from "../metrics/index.ts";
import { createNetwork, type Kernel, type Network, type NetworkSpec } from "../nn/index.ts";
import { randomStream } from "../random/index.ts";
import type { TaskPlan } from "../spec/index.ts";
import { createPreparedRows } from "./prepared-rows.ts";
import { trainInRound } from "./train-in-round.ts";
import type { StatisticsTask, Trainer, TrainingTask } from "./trainer.ts";

export interface NetworkTrainerOptions {
  readonly kernel: Kernel;
  /** The party's dataset by the name the spec uses. */
  dataset(name: string, party: string): Promise<Dataset>;
  /** Give the event loop no pauses: for workers, which have nothing else to do. What a fit gives holds until the next one. */
  readonly sync?: boolean;
}

/** Networks that are kept between tasks: one for each architecture and batch size, since its memory is laid out once. */
const KEPT_NETWORKS = 4;

/** The built-in trainer: the network of the plan on the party's dataset, with streams named by seed, party, round and epoch. */
export function networkTrainer({ kernel, dataset, sync = false }: NetworkTrainerOptions): Trainer {
  const networks = new Map<string, Network>();
  const checked = new WeakSet<Dataset>();
  /** Datasets whose schema is that of a plan. */
  const agreed = new WeakMap<TaskPlan, WeakSet<Dataset>>();
  const prepared = createPreparedRows();
  /** Where a worker's fits leave their parameters in turn: a new vector for each would be garbage by the gigabyte. */
  const saved = new WeakMap<Network, Float32Array<ArrayBuffer>>();
  let lastTurn: Promise<unknown> = Promise.resolve();

  /** A network has one memory and pauses while it learns: tasks that are asked for at once take turns. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(work, work);
    lastTurn = turn;
    return turn;
  }

  function networkFor({ plan, spec }: TrainingTask): Network {
    const architecture = plan.model.network;
    if (architecture === undefined) {
      throw new NexusError("TRAINER_FAILED", "The model's kind is tensors: it needs a trainer of the party's own.", {
        hint: "Serve this run with defineNode({ fit, evaluate }) instead of `nexus node run`.",
      });
    }
    const maxBatch = spec.train.batchSize;
    const key = JSON.stringify([architecture, maxBatch]);
    let network = networks.get(key);
    if (network === undefined) {
      const [oldest] = networks.keys();
      if (networks.size >= KEPT_NETWORKS && oldest !== undefined) networks.delete(oldest);
      network = createNetwork(kernel, architecture satisfies NetworkSpec, { maxBatch });
      networks.set(key, network);
    }
    return network;
  }

  async function loadRows(task: StatisticsTask): Promise<Dataset> {
    const loaded = await dataset(task.spec.data.dataset, task.party);
    const { planned } = task;
    if (planned.contentHash !== loaded.contentHash) {
      throw new NexusError(
        "DATA_INVALID",
        `The dataset "${task.spec.data.dataset}" of ${task.party} is not the one that was registered: its content changed.`,
        {
          hint: "Register it again with `nexus dataset add`, then start a new run.",
          details: { registered: planned.contentHash, found: loaded.contentHash },
        },
      );
    }
    checkSchema(task, loaded);
    return loaded;
  }

  /** What is counted of rows follows from the plan's schema: with another one, a coordinator could ask for more than ranges and categories tell. */
  function checkSchema({ plan, spec, party }: StatisticsTask, loaded: Dataset): void {
    const known = agreed.get(plan) ?? new WeakSet();
    if (known.has(loaded)) return;
    if (schemaText(plan.schema) !== schemaText(loaded.schema)) {
      throw new NexusError("DATA_INVALID", `The plan's schema is not that of the dataset "${spec.data.dataset}" of ${party}.`, {
        hint: "The node goes by its own schema. Install the coordinator's version on the node; if it has it, the coordinator is not to be trusted.",
      });
    }
    agreed.set(plan, known.add(loaded));
  }

  /** The party's rows as they are learnt from. */
  async function rows(task: TrainingTask): Promise<Pick<Dataset, "train" | "test">> {
    const loaded = await loadRows(task);
    const name = `The dataset "${task.spec.data.dataset}" of ${task.party}`;
    if (task.plan.preprocess !== undefined) {
      if (task.preprocessing === undefined) throw new NexusError("INTERNAL", `Round ${task.round} of ${task.party} came without its preprocessing.`);
      return prepared.of(loaded, task.preprocessing, name);
    }
    if (!checked.has(loaded)) {
      requireComplete(loaded, name);
      checked.add(loaded);
    }
    return loaded;
  }

  return {
    kernelBuild: kernel.build,

    async statistics(task) {
      const { train } = await loadRows(task);
      const { preprocess, encoding } = task.plan;
      if (preprocess === undefined) throw new NexusError("INTERNAL", `The run of ${task.party} prepares no rows.`);
      return { weight: train.count, sums: rowStatistics(preprocess.steps, train, encoding.maxWeight) };
    },

    fit: (task) =>
      inTurn(async () => {
        const { train } = await rows(task);
        const { spec, party, round, config, correction, signal } = task;
        const network = networkFor(task);
        network.load(task.parameters);
        const order = Array.from({ length: spec.train.epochs }, (_, epoch) =>
          randomStream(spec.seed, "shuffle", party, round, epoch).shuffle(Uint32Array.from({ length: train.count }, (_row, row) => row)),
        );
        const proximalMu = config["proximalMu"];
        const options = {
          ...train,
          order,
          batchSize: spec.train.batchSize,
          optimiser: trainInRound(spec.train, round, spec.rounds).optimiser,
          random: { seed: spec.seed, path: ["dropout", party, round] },
          ...(typeof proximalMu === "number" ? { proximalMu } : {}),
          ...(correction === undefined ? {} : { gradientCorrection: correction }),
        };
        const { loss, correct } = sync ? network.fitSync(options) : await network.fit({ ...options, ...(signal === undefined ? {} : { signal }) });
        const parameters = network.save(sync ? saved.get(network) : undefined);
        if (sync) saved.set(network, parameters);
        return { parameters, weight: train.count, metrics: { loss, correct } };
      }),

    evaluate: (task) =>
      inTurn(async () => {
        const { test } = await rows(task);
        const { heldOutMetrics, schema, model } = task.plan;
        const tally = heldOutMetrics && createTally(heldOutMetrics, metricTask(schema, model.network));
        const further = () => (tally === undefined ? {} : { heldOutSums: tally.sums() });
        if (test === undefined) return { weight: 0, metrics: { loss: 0, correct: 0 }, ...further() };
        const network = networkFor(task);
        network.load(task.parameters);
        const judging = {
          ...test,
          ...(tally === undefined
            ? {}
            : {
                onPredictions: (predictions: Float32Array, first: number) =>
                  tally.add(predictions, test.targets.subarray(first, first + predictions.length / network.outputLength)),
              }),
        };
        const { examples, loss, correct } = sync
          ? network.evaluateSync(judging)
          : await network.evaluate({ ...judging, ...(task.signal === undefined ? {} : { signal: task.signal }) });
        return { weight: examples, metrics: { loss, correct }, ...further() };
      }),
  };
}
