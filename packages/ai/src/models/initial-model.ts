import { initialParameters } from "../nn/index.ts";
import type { RunPlan } from "../spec/index.ts";
import { parameterLayout, type ParameterSet, viewParameters } from "../tensor/index.ts";

/** The model before the first round: the network's seeded initialisation, or zeros for a trainer that is not ours. */
export function initialModel(plan: Pick<RunPlan, "model">, seed: number): ParameterSet {
  const { network, tensors } = plan.model;
  const layout = parameterLayout(tensors.map(({ name, shape }) => [name, shape]));
  return viewParameters(network === undefined ? new Float32Array(layout.length) : initialParameters(network, seed), layout);
}
