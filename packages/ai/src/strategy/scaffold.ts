/**
 * SCAFFOLD: where parties' data differ, their steps drift apart. Each party keeps a control variate c_i, what its gradients are on average, the
 * server keeps their mean c, and every local step goes along g + (c − c_i): the party's own direction with what it drifts by taken out.
 * Source: Karimireddy, Kale, Mohri, Reddi, Stich, Suresh, "SCAFFOLD: stochastic controlled averaging for federated learning",
 * ICML 2020 (arXiv 1910.06378), Algorithm 1, option II.
 *
 * After K steps of size η from x to y, option II is c_i⁺ = c_i − c + (x − y)/(Kη), so the party uploads two vectors, both encoded alike:
 * its change Δy = y − x, and Δc = c_i⁺ − c_i = −c − Δy/(Kη). The server learns their weighted sums only:
 *
 *   x ← x + η_g · Σ n_i Δy_i / Σ n_i        c ← c + (Σ n_i / N) · (Σ n_i Δc_i / Σ n_i)
 *
 * with N the training rows of all parties of the plan, so that c stays Σ n_i c_i / N whoever took part. With parties of one size
 * these are the paper's means and its |S|/N. With momentum ρ, a gradient enters Δy with the factor 1 + ρ + …; K is then the sum of the
 * factors (see `fed-nova.ts`), so that (x − y)/(Kη) is still a mean of the gradients.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { z } from "zod";
import { localSteps } from "../training/local-steps.ts";
import { askEveryone } from "./ask-everyone.ts";
import { localWork } from "./fed-nova.ts";
import { everyStrategy } from "./local-tensors.ts";
import type { PartyGiven, PartyOutcome, PartyUpdate, Strategy, TrainingFacts } from "./strategy.ts";
import { weightedMeans } from "./weighted-means.ts";

const TILE = 16_384;
/** The server's c among its vectors. */
const CONTROL = "control";
/** Δc among the vectors of an upload. */
const CHANGE = "scaffold:change";
/** c_i among what a party keeps. */
const OWN_CONTROL = "scaffold:control";

export const scaffoldSchema = z
  .strictObject({
    kind: z.literal("scaffold"),
    serverLearningRate: z.number().positive().max(1e6).default(1).describe("η of the server: how far it goes along the mean change"),
    ...everyStrategy,
  })
  .describe("SCAFFOLD: FedAvg whose parties correct their drift by control variates (Karimireddy et al. 2020); uploads twice as much");

function correction({ server, kept }: PartyGiven): Float32Array {
  const common = server[CONTROL]!;
  const own = kept[OWN_CONTROL]!;
  return Float32Array.from(own, (value, i) => common[i]! - value);
}

function prepare({ delta, weight, steps, given }: PartyUpdate, { train }: TrainingFacts): PartyOutcome {
  const { optimiser } = train;
  if (optimiser.kind !== "sgd") throw new NexusError("TRAINER_FAILED", `SCAFFOLD does not know how much ${optimiser.kind} moves in a step.`);
  const taken = steps ?? localSteps(train, weight);
  if (!Number.isSafeInteger(taken) || taken < 1) {
    throw new NexusError("TRAINER_FAILED", `The trainer took ${taken} steps; SCAFFOLD needs a whole number from 1.`);
  }
  const moved = localWork(taken, optimiser.momentum) * optimiser.learningRate;
  const common = given.server[CONTROL]!;
  const own = given.kept[OWN_CONTROL]!;
  const change = new Float32Array(delta.length);
  const next = new Float32Array(delta.length);
  for (let begin = 0; begin < delta.length; begin += TILE) {
    const end = Math.min(delta.length, begin + TILE);
    controls({ delta, common, own, change, next, moved }, begin, end);
  }
  return { vectors: [change], kept: [next] };
}

interface Controls {
  readonly delta: Float32Array;
  readonly common: Float64Array;
  readonly own: Float32Array;
  readonly change: Float32Array;
  readonly next: Float32Array;
  readonly moved: number;
}

function controls({ delta, common, own, change, next, moved }: Controls, begin: number, end: number): void {
  for (let i = begin; i < end; i += 1) {
    change[i] = 0 - common[i]! - delta[i]! / moved;
    next[i] = own[i]! + change[i]!;
  }
}

export function scaffold({ serverLearningRate }: z.output<typeof scaffoldSchema>): Strategy {
  return {
    kind: "scaffold",
    state: [{ name: CONTROL, initial: 0 }],
    check({ train: { optimiser }, untrained }) {
      if (optimiser.kind !== "sgd") {
        return {
          path: "train.optimiser",
          reason: `SCAFFOLD reads a party's mean gradient from how far its steps went, which is known of sgd, not of ${optimiser.kind}.`,
          remedy: "Let the parties train with sgd, or use another strategy.",
          edits: [{ path: "strategy", value: { kind: "fedavg" } }],
        };
      }
      if (untrained.length === 0) return undefined;
      return {
        path: "strategy.local",
        reason: `SCAFFOLD corrects gradients, and ${untrained.join(", ")} ${untrained.length === 1 ? "has" : "have"} none.`,
        remedy: "Let the parties keep these tensors to themselves (strategy.local), or use group-norm, which has no running statistics.",
      };
    },
    party: {
      sums: [],
      vectors: [CHANGE],
      keeps: [OWN_CONTROL],
      receivesState: true,
      correction,
      prepare,
    },
    configureFit: askEveryone(),
    aggregateFit({ weight, planned, metrics }) {
      const share = weight / planned;
      return {
        metrics: weightedMeans({ weight, metrics }),
        step({ base, meanDelta, vectors, state, parameters }) {
          const common = state[CONTROL]!;
          const change = vectors[CHANGE]!;
          for (let i = 0; i < base.length; i += 1) {
            parameters[i] = base[i]! + serverLearningRate * meanDelta[i]!;
            common[i] = common[i]! + share * change[i]!;
          }
        },
      };
    },
    configureEvaluate: askEveryone(),
    aggregateEvaluate: weightedMeans,
  };
}
