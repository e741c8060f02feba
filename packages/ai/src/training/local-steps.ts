import type { TrainOptions } from "./section.ts";

/** Steps of the optimiser in a round on so many examples: passes × batches, the last of a pass may be smaller. */
export function localSteps({ epochs, batchSize }: Pick<TrainOptions, "epochs" | "batchSize">, examples: number): number {
  return epochs * Math.ceil(examples / batchSize);
}
