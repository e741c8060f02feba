import { describe, expect, it } from "vitest";
import { compileOrThrow, parseRunSpec } from "../spec/index.ts";
import { parameterLayout } from "../tensor/index.ts";
import type { TrainingTask } from "../training/index.ts";
import { type PartyFit, type PartyTask, partyTrainer } from "./define-node.ts";

const SPEC = parseRunSpec({
  version: 1,
  name: "own",
  seed: 1,
  data: { dataset: "rows" },
  model: { kind: "tensors", tensors: { b: [1], w: [2] } },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  protection: { kind: "none" },
  rounds: 1,
});
const DATASET = { schema: { kind: "opaque" } as const, trainExamples: 10, testExamples: 0, contentHash: "0".repeat(64) };
const PLAN = compileOrThrow(SPEC, { kernelBuild: "build", parties: [{ name: "ash", kernelBuild: "own", dataset: DATASET }] });

function taskOf(part: Partial<TrainingTask> = {}): TrainingTask {
  const layout = parameterLayout(PLAN.model.tensors.map(({ name, shape }) => [name, shape]));
  return {
    parameters: Float32Array.of(1, 2, 3),
    layout,
    spec: SPEC,
    plan: PLAN,
    party: "ash",
    planned: PLAN.parties[0]!,
    round: 1,
    config: {},
    ...part,
  };
}

describe("a party's own trainer", () => {
  const seen: PartyTask[] = [];
  const trainerOf = (more: Partial<PartyFit>) =>
    partyTrainer({
      dataset: { name: "rows", trainExamples: 10 },
      fit(task) {
        seen.push(task);
        return { parameters: task.parameters, examples: 10, metrics: { loss: 1, correct: 2 }, ...more };
      },
      evaluate: () => ({ examples: 0, metrics: {} }),
    });

  it("is given the strategy's correction by tensor name, and none where there is none", async () => {
    await trainerOf({}).fit(taskOf({ correction: Float32Array.of(0.5, -1, 2) }));
    await trainerOf({}).fit(taskOf());
    expect(seen[0]!.correction).toEqual(
      new Map([
        ["b", { shape: [1], data: Float32Array.of(0.5) }],
        ["w", { shape: [2], data: Float32Array.of(-1, 2) }],
      ]),
    );
    expect(seen[1]).not.toHaveProperty("correction");
  });

  it("may say how many steps it took", async () => {
    expect(await trainerOf({ steps: 7 }).fit(taskOf())).toMatchObject({ weight: 10, steps: 7 });
    expect(await trainerOf({}).fit(taskOf())).not.toHaveProperty("steps");
  });
});
