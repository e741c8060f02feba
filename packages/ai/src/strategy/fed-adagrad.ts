/**
 * FedAdagrad: the server's step has Adagrad's second moment, v ← v + Δ², which only grows: steps shrink with what a parameter
 * has moved so far. The paper uses no momentum (β1 = 0) with it.
 * Source: Reddi et al. 2021, Algorithm 2; see `adaptive-server.ts`.
 *
 * @module
 */
import { z } from "zod";
import { adaptiveOptions, adaptiveServer } from "./adaptive-server.ts";
import { everyStrategy } from "./local-tensors.ts";
import type { Strategy } from "./strategy.ts";

export const fedAdagradSchema = z
  .strictObject({
    kind: z.literal("fedadagrad"),
    serverLearningRate: adaptiveOptions.serverLearningRate.default(0.1).describe("η: about the change of a parameter in the first round"),
    beta1: adaptiveOptions.beta1.default(0),
    tau: adaptiveOptions.tau.default(0.001),
    ...everyStrategy,
  })
  .describe("FedAdagrad: FedAvg with a server step that shrinks with what a parameter has moved (Reddi et al. 2021)");

export function fedAdagrad(options: z.output<typeof fedAdagradSchema>): Strategy {
  return adaptiveServer({ ...options, second: (last, squared) => last + squared });
}
