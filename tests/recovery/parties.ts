import { type DefinedNode, defineNode, type PartyTask } from "@ciphernx/ai/client";
import type { RunSpecInput } from "@ciphernx/ai/spec";

/** The parties of every run here. */
export const PARTIES = ["clinic-a", "clinic-b", "clinic-c"] as const;

/** A run whose result depends on every round, every party and the strategy's own state. */
export function runSpec(rounds: number, cohort: RunSpecInput["cohort"] = {}): RunSpecInput {
  return {
    version: 1,
    name: "recovery",
    seed: 11,
    data: { dataset: "visits" },
    model: { kind: "tensors", tensors: { weights: [64, 8], bias: [8] } },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    strategy: { kind: "fedavgm", momentum: 0.5 },
    protection: { kind: "none" },
    rounds,
    cohort,
  };
}

/** What a party waits for before it answers; a test puts something here to be in the middle of a round. */
export interface Pace {
  before(party: string, task: Pick<PartyTask, "round">, kind: "fit" | "evaluate"): Promise<void> | void;
}

/** A party with a trainer that is plain arithmetic: each moves the model half the way to a place of its own. */
export function party(name: string, pace: Pace): DefinedNode {
  const index = name.charCodeAt(name.length - 1) - 96;
  const place = (position: number): number => ((position * 7 + index * 13) % 29) / 29 - 0.5;
  return defineNode({
    dataset: { name: "visits", trainExamples: 10 * index, testExamples: 5 },
    async fit(task) {
      await pace.before(name, task, "fit");
      let loss = 0;
      for (const { data } of task.parameters.values()) {
        for (let i = 0; i < data.length; i += 1) {
          const distance = place(i) - data[i]!;
          loss += distance * distance;
          data[i] = data[i]! + distance / 2;
        }
      }
      return { parameters: task.parameters, examples: 10 * index, metrics: { loss, correct: index } };
    },
    async evaluate(task) {
      await pace.before(name, task, "evaluate");
      return { examples: 5, metrics: { loss: 1, correct: task.round % 5 } };
    },
  });
}
