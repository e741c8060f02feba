import { scheduleFactor } from "../nn/index.ts";
import type { TrainOptions } from "./section.ts";

/**
 * The spec's `train` section as it holds in a round: without a schedule, its factor for the round in the learning rate.
 * @param round From 1; the schedule's first position is the first round.
 * @param rounds All rounds of the run: the default length of a cosine.
 */
export function trainInRound(train: TrainOptions, round: number, rounds: number): Omit<TrainOptions, "schedule"> {
  const { schedule, ...rest } = train;
  if (schedule === undefined) return rest;
  const factor = scheduleFactor(schedule.kind === "cosine" ? { ...schedule, length: schedule.length ?? rounds } : schedule, round - 1);
  return { ...rest, optimiser: { ...rest.optimiser, learningRate: rest.optimiser.learningRate * factor } };
}
