import { randomStream } from "../random/index.ts";
import { initialise } from "./initialiser.ts";
import { layoutOf, type NetworkSpec, planNetwork } from "./network-plan.ts";

/**
 * The parameters that a network starts from, flat in canonical order. Each tensor has a random stream of its own,
 * named by seed and tensor, so the same on every host; needs no kernel. Throws SPEC_INVALID.
 */
export function initialParameters(spec: NetworkSpec, seed: number): Float32Array<ArrayBuffer> {
  const plan = planNetwork(spec);
  const layout = layoutOf(plan);
  const flat = new Float32Array(layout.length);
  const initialisers = new Map(plan.parameters.map(({ name, initialiser }) => [name, initialiser]));
  for (const { name, offset, length } of layout.entries) {
    initialise(initialisers.get(name)!, randomStream(seed, "initial-parameters", name), flat.subarray(offset, offset + length));
  }
  return flat;
}
