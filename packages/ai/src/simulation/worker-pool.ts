import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { NexusError } from "@ciphernx/core/errors";
import { SecAggViolation } from "@ciphernx/crypto/secagg";
import type { KernelBuild } from "../nn/index.ts";
import type { SumStep, SumSteps } from "./sums/steps.ts";
import type {
  AloneAnswer,
  LoadRun,
  PhaseAnswer,
  RunPhase,
  SharedParty,
  TrainAlone,
  WorkerAnswer,
  WorkerRequest,
  WorkerSetup,
} from "./worker-messages.ts";

/** This module runs from source and from dist alike. */
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

/** A worker's vectors lie outside the heap and are used again; what is left is small and dies young. */
const YOUNG_GENERATION_MB = 8;

/** Threads that share the rows of all parties. */
export interface WorkerPool extends AsyncDisposable {
  readonly size: number;
  /** Makes a run known to every worker; `sums[i]` is where worker i leaves its sums. */
  loadRun(run: Omit<LoadRun, "kind" | "sum" | "next">, sums: readonly SharedArrayBuffer[]): Promise<void>;
  /** Runs a phase on all workers; each takes the next party when it is free. */
  runPhase(phase: Omit<RunPhase, "kind">): Promise<readonly PhaseAnswer[]>;
  /** Has parties of the last phase take a step of its protected sum, each where it has its update. @throws SecAggViolation when one of them refuses */
  takeSumStep<S extends SumStep>(step: S, inputs: ReadonlyMap<number, SumSteps[S]["takes"]>): Promise<ReadonlyMap<number, SumSteps[S]["gives"]>>;
  /** Trains networks alone, as many at a time as there are workers, in the order given. */
  trainAlone(jobs: readonly Omit<TrainAlone, "kind">[]): Promise<readonly AloneAnswer[]>;
  close(): Promise<void>;
}

/** Workers that are used when nobody says how many: one a core, as far as there are parties. */
export function defaultWorkers(parties: number): number {
  return Math.max(1, Math.min(parties, availableParallelism()));
}

/** Starts workers and waits until they have compiled their kernels. */
export async function startWorkerPool(parties: readonly SharedParty[], size: number, kernel: KernelBuild = "baseline"): Promise<WorkerPool> {
  const next = new SharedArrayBuffer(4);
  const threads = Array.from({ length: size }, () => startThread({ parties, kernel }));
  const placeOf = new Map(parties.map(({ name }, place) => [name, place]));
  /** Which thread stands in for which parties, by place, since the last phase. */
  let owners: readonly ReadonlySet<number>[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.close()));
  };
  try {
    await Promise.all(threads.map((thread) => thread.ready));
  } catch (error) {
    await close();
    throw error;
  }

  return {
    size,
    async loadRun(run, sums) {
      await Promise.all(threads.map((thread, index) => thread.ask({ ...run, kind: "load-run", next, sum: sums[index]! })));
    },
    async runPhase(phase) {
      Atomics.store(new Int32Array(next), 0, 0);
      const answers = (await Promise.all(threads.map((thread) => thread.ask({ ...phase, kind: "run-phase" })))).filter(
        (answer) => answer.kind === "phase",
      );
      owners = answers.map(({ accepted }) => new Set(accepted.map((name) => placeOf.get(name)!)));
      return answers;
    },
    async takeSumStep<S extends SumStep>(step: S, inputs: ReadonlyMap<number, SumSteps[S]["takes"]>) {
      const answers = await Promise.all(
        threads.map(async (thread, index) => {
          const own = new Map([...inputs].filter(([place]) => owners[index]?.has(place) === true));
          return own.size === 0 ? undefined : await thread.ask({ kind: "take-sum-step", step, inputs: own });
        }),
      );
      const outputs = new Map<number, SumSteps[S]["gives"]>();
      for (const answer of answers) {
        if (answer?.kind === "sum-refused") throw new SecAggViolation(answer.reason, answer.message);
        if (answer?.kind === "sum-step") for (const [place, output] of answer.outputs) outputs.set(place, output);
      }
      return outputs;
    },
    async trainAlone(jobs) {
      const results: AloneAnswer[] = [];
      const queue = jobs.entries();
      await Promise.all(
        threads.map(async (thread) => {
          for (const [index, job] of queue) {
            const answer = await thread.ask({ ...job, kind: "train-alone" });
            if (answer.kind === "alone") results[index] = answer;
          }
        }),
      );
      return results;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Thread {
  readonly ready: Promise<unknown>;
  ask(request: WorkerRequest): Promise<WorkerAnswer>;
  close(): Promise<void>;
}

/** A worker that answers one request at a time. */
function startThread(setup: WorkerSetup): Thread {
  const worker = new Worker(WORKER, { workerData: setup, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } });
  let waiting: { resolve(answer: WorkerAnswer): void; reject(error: unknown): void } | undefined;
  let ended: NexusError | undefined;

  const answered = (): Promise<WorkerAnswer> =>
    new Promise((resolve, reject) => {
      if (ended === undefined) waiting = { resolve, reject };
      else reject(ended);
    });
  const end = (cause: unknown): void => {
    ended ??= new NexusError("INTERNAL", `A worker of the simulator ended: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    waiting?.reject(ended);
  };
  worker.on("message", (answer: WorkerAnswer) => {
    const asked = waiting;
    waiting = undefined;
    if (answer.kind === "error") asked?.reject(new NexusError("INTERNAL", `A worker of the simulator failed: ${answer.message}`));
    else asked?.resolve(answer);
  });
  worker.on("error", end);
  worker.on("exit", (code) => end(`exit code ${code}`));

  return {
    ready: answered(),
    ask(request) {
      const answer = answered();
      worker.postMessage(request);
      return answer;
    },
    async close() {
      await worker.terminate();
    },
  };
}
