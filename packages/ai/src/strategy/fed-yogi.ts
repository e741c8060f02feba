/**
 * FedYogi: the server's step has Yogi's second moment, v ← v − (1 − β2)Δ²·sign(v − Δ²), which moves by an amount that does not
 * depend on v: a round of small changes does not wipe out what is known of large ones.
 * Source: Reddi et al. 2021, Algorithm 2; see `adaptive-server.ts`.
 *
 * @module
 */
import { z } from "zod";
import { adaptiveOptions, adaptiveServer } from "./adaptive-server.ts";
import { everyStrategy } from "./local-tensors.ts";
import type { Strategy } from "./strategy.ts";

export const fedYogiSchema = z
  .strictObject({
    kind: z.literal("fedyogi"),
    serverLearningRate: adaptiveOptions.serverLearningRate.default(0.01).describe("η: about the largest change of a parameter in a round"),
    beta1: adaptiveOptions.beta1.default(0.9),
    beta2: adaptiveOptions.beta2.default(0.99),
    tau: adaptiveOptions.tau.default(0.001),
    ...everyStrategy,
  })
  .describe("FedYogi: FedAvg with an adaptive server step that forgets slowly (Reddi et al. 2021)");

export function fedYogi({ beta2, ...options }: z.output<typeof fedYogiSchema>): Strategy {
  const rest = 1 - beta2;
  return adaptiveServer({
    ...options,
    second(last, squared) {
      const change = rest * squared;
      return last > squared ? last - change : last < squared ? last + change : last;
    },
  });
}
