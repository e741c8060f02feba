import { Worker } from "node:worker_threads";
import type { PartiesAnswer, PartiesRequest, PartiesSetup, Step, Steps } from "./steps.ts";

/** Parties of a batch: enough to be few messages, and little enough that a thread has its first ones while others are made. */
const BATCH = 25;

/** Parties that threads hold among them. */
export interface PartyThreads extends AsyncDisposable {
  /** Identity keys by party. */
  readonly keys: readonly Uint8Array[];
  /** Tells all parties whose keys are whose. */
  enlist(): void;
  /** Has parties take a step, each with what `inputOf` gives for it. Their messages in the order of the parties. */
  take<S extends Step>(step: S, parties: readonly number[], inputOf: (party: number) => Steps[S]["takes"]): Promise<Map<number, Steps[S]["gives"]>>;
}

/** Starts threads, among which the parties take turns, and waits for their keys. */
export async function startPartyThreads(count: number, setup: Omit<PartiesSetup, "own">): Promise<PartyThreads> {
  const threadOf = (party: number): number => party % count;
  const places = Array.from({ length: setup.parties }, (_, party) => party);
  const threads = Array.from({ length: count }, (_, thread) => startThread({ ...setup, own: places.filter((party) => threadOf(party) === thread) }));
  const identityKeys = new Map((await Promise.all(threads.map(({ keys }) => keys))).flatMap((own) => [...own]));
  const keys = places.map((party) => identityKeys.get(party)!);
  return {
    keys,
    enlist: () => threads.forEach((thread) => thread.enlist(keys)),
    async take<S extends Step>(step: S, parties: readonly number[], inputOf: (party: number) => Steps[S]["takes"]) {
      const batches: Promise<ReadonlyMap<number, Steps[S]["gives"]>>[] = [];
      for (let from = 0; from < parties.length; from += BATCH * count) {
        const batch = parties.slice(from, from + BATCH * count);
        for (const [thread, { take }] of threads.entries()) {
          const inputs = new Map(batch.filter((party) => threadOf(party) === thread).map((party) => [party, inputOf(party)]));
          batches.push(take(step, inputs));
        }
        // Lets answers in.
        await new Promise(setImmediate);
      }
      const taken = new Map((await Promise.all(batches)).flatMap((outputs) => [...outputs]));
      return new Map(parties.map((party) => [party, taken.get(party)!]));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };
}

function startThread(setup: PartiesSetup) {
  const worker = new Worker(new URL("parties.ts", import.meta.url), { workerData: setup });
  const keys = Promise.withResolvers<ReadonlyMap<number, Uint8Array>>();
  const waiting = new Map<number, PromiseWithResolvers<ReadonlyMap<number, never>>>();
  let asked = 0;
  const say = (request: PartiesRequest): void => worker.postMessage(request);
  worker.on("message", (answer: PartiesAnswer) => {
    if (answer.kind === "keys") return keys.resolve(answer.keys);
    waiting.get(answer.id)!.resolve(answer.outputs as ReadonlyMap<number, never>);
    waiting.delete(answer.id);
  });
  worker.on("error", (error) => {
    keys.reject(error);
    for (const { reject } of waiting.values()) reject(error);
  });
  return {
    keys: keys.promise,
    enlist: (all: readonly Uint8Array[]) => say({ kind: "roster", keys: all }),
    take<S extends Step>(step: S, inputs: ReadonlyMap<number, Steps[S]["takes"]>): Promise<ReadonlyMap<number, Steps[S]["gives"]>> {
      const answer = Promise.withResolvers<ReadonlyMap<number, never>>();
      waiting.set((asked += 1), answer);
      say({ kind: "step", id: asked, step, inputs });
      return answer.promise;
    },
    end: () => worker.terminate(),
  };
}
