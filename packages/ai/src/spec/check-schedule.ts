import type { Refusal } from "@ciphernx/core/spec";
import { trainInRound } from "../training/train-in-round.ts";
import type { RunSpec } from "./run-spec.ts";

/** A schedule that leaves no learning rate for the last round would have parties send updates of zeros. */
export function checkSchedule({ train, rounds }: RunSpec, refusals: Refusal[]): void {
  const { schedule } = train;
  if (schedule === undefined || trainInRound(train, rounds, rounds).optimiser.learningRate > 0) return;
  const isCosine = schedule.kind === "cosine";
  refusals.push({
    path: isCosine ? "train.schedule.length" : "train.schedule.factor",
    reason: `The schedule leaves a learning rate of 0 for round ${rounds}, in which nothing would be learnt.`,
    remedy: isCosine ? "Make it as long as the run, leave the key out, or give it a floor." : "Use a factor nearer to 1.",
    edits: isCosine ? [{ path: "train.schedule.length", value: rounds }] : [{ path: "train.schedule.factor", value: 1 }],
  });
}
