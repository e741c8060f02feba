/**
 * FedNova: parties that take different numbers of steps in a round, since their data differ in size, would pull the mean of their models
 * towards those that take more. Each party's change is divided by the amount of its local work, and the server goes as far along the mean of these
 * directions as the parties would on average have gone.
 * Source: Wang, Liu, Liang, Joshi, Poor, "Tackling the objective inconsistency problem in heterogeneous federated optimization",
 * NeurIPS 2020 (arXiv 2007.07481), §4; a of SGD with momentum from its §3.
 *
 * With p_i = n_i / Σn over the parties of the round, Δ_i the change of party i and a_i the ℓ1 norm of the factors by which
 * its gradients enter Δ_i, the paper's rule is w ← w + τ_eff · Σ p_i Δ_i / a_i with τ_eff = Σ p_i a_i. After τ steps of SGD
 * with momentum ρ the gradient of step k has the factor 1 + ρ + … + ρ^(τ−k), so a = Σ_{k=1..τ} (1 + ρ + … + ρ^(k−1)), which is τ
 * without momentum.
 *
 * What the server learns is only sums over the parties, as of every strategy. Let A be a number that all know: a of the largest party
 * of the plan. With r_i = a_i / A,
 *
 *   τ_eff · Σ p_i Δ_i / a_i  =  (Σ n_i a_i / Σ n_i) · (Σ n_i Δ_i / a_i) / Σ n_i  =  (Σ n_i r_i / Σ n_i) · (Σ n_i (Δ_i / r_i)) / Σ n_i,
 *
 * since A cancels out. So party i uploads Δ_i / r_i in place of Δ_i, with its weight n_i as ever, and n_i r_i as one more sum. A keeps
 * the numbers in the size of changes, which the encoding's range is made for: r_i ≤ 1, and a weighted coordinate n_i/maxWeight · Δ_i / r_i is
 * about as large as Δ_i, whose party took the fewer steps the smaller n_i is.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { z } from "zod";
import { localSteps } from "../training/local-steps.ts";
import { askEveryone } from "./ask-everyone.ts";
import { everyStrategy } from "./local-tensors.ts";
import type { PartyUpdate, Strategy, TrainingFacts } from "./strategy.ts";
import { weightedMeans } from "./weighted-means.ts";

const TILE = 16_384;
/** Name of the sum Σ n_i r_i; no metric of a run can be called so. */
const LOCAL_WORK = "fednova.localWork";

export const fedNovaSchema = z
  .strictObject({ kind: z.literal("fednova"), ...everyStrategy })
  .describe("FedNova: the mean of the parties' changes, each divided by how much the party trained (Wang et al. 2020)");

/** a: how much the gradients of `steps` steps of SGD add up to. f64 + × in fixed order. */
export function localWork(steps: number, momentum: number): number {
  let factor = 0;
  let work = 0;
  for (let step = 0; step < steps; step += 1) {
    factor = momentum * factor + 1;
    work += factor;
  }
  return work;
}

/** ρ of the parties' optimiser. Others than SGD have no a. */
function momentumOf({ optimiser }: TrainingFacts["train"]): number | undefined {
  return optimiser.kind === "sgd" ? optimiser.momentum : undefined;
}

function normalise({ delta, weight, steps }: PartyUpdate, { train, mostTrainExamples }: TrainingFacts): number {
  const momentum = momentumOf(train);
  if (momentum === undefined) throw new NexusError("TRAINER_FAILED", `FedNova does not know how much ${train.optimiser.kind} moves in a step.`);
  const most = localSteps(train, mostTrainExamples);
  const taken = steps ?? localSteps(train, weight);
  if (!Number.isSafeInteger(taken) || taken < 1 || taken > most) {
    throw new NexusError("TRAINER_FAILED", `The trainer took ${taken} steps; FedNova takes from 1 to ${most}, those of the run's largest party.`, {
      hint: "Raise train.epochs in the spec if a party's own trainer is to take more steps.",
    });
  }
  const ratio = localWork(taken, momentum) / localWork(most, momentum);
  for (let begin = 0; begin < delta.length; begin += TILE) divide(delta, ratio, begin, Math.min(delta.length, begin + TILE));
  return weight * ratio;
}

function divide(delta: Float32Array, by: number, begin: number, end: number): void {
  for (let i = begin; i < end; i += 1) delta[i] = delta[i]! / by;
}

export function fedNova(_options: z.output<typeof fedNovaSchema>): Strategy {
  return {
    kind: "fednova",
    state: [],
    check: ({ train: { optimiser } }) =>
      optimiser.kind === "sgd"
        ? undefined
        : {
            path: "train.optimiser",
            reason: `FedNova divides each party's change by how much its steps add up to, which is known of sgd, not of ${optimiser.kind}.`,
            remedy: "Let the parties train with sgd, or use another strategy.",
            edits: [{ path: "strategy", value: { kind: "fedavg" } }],
          },
    party: {
      sums: [LOCAL_WORK],
      prepare: (update, facts) => ({ sums: { [LOCAL_WORK]: normalise(update, facts) } }),
    },
    configureFit: askEveryone(),
    aggregateFit({ weight, metrics }) {
      const { [LOCAL_WORK]: work, ...reported } = metrics;
      if (work === undefined) throw new NexusError("INTERNAL", `The sums of a FedNova round lack ${LOCAL_WORK}.`);
      const scale = work / weight;
      return {
        metrics: weightedMeans({ weight, metrics: reported }),
        step({ base, meanDelta, parameters }) {
          for (let i = 0; i < base.length; i += 1) parameters[i] = base[i]! + scale * meanDelta[i]!;
        },
      };
    },
    configureEvaluate: askEveryone(),
    aggregateEvaluate: weightedMeans,
  };
}
