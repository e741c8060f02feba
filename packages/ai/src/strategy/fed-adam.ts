/**
 * FedAdam: the server's step has Adam's second moment, v ← β2·v + (1 − β2)Δ².
 * Source: Reddi et al. 2021, Algorithm 2; see `adaptive-server.ts`.
 *
 * @module
 */
import { z } from "zod";
import { adaptiveOptions, adaptiveServer } from "./adaptive-server.ts";
import { everyStrategy } from "./local-tensors.ts";
import type { Strategy } from "./strategy.ts";

export const fedAdamSchema = z
  .strictObject({
    kind: z.literal("fedadam"),
    serverLearningRate: adaptiveOptions.serverLearningRate.default(0.01).describe("η: about the largest change of a parameter in a round"),
    beta1: adaptiveOptions.beta1.default(0.9),
    beta2: adaptiveOptions.beta2.default(0.99),
    tau: adaptiveOptions.tau.default(0.001),
    ...everyStrategy,
  })
  .describe("FedAdam: FedAvg with an adaptive server step (Reddi et al. 2021)");

export function fedAdam({ beta2, ...options }: z.output<typeof fedAdamSchema>): Strategy {
  const rest = 1 - beta2;
  return adaptiveServer({ ...options, second: (last, squared) => beta2 * last + rest * squared });
}
