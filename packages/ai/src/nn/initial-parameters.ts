import { randomStream } from "../random/index.ts";
import { initialise } from "./initialiser.ts";
import { networkLayout, type NetworkSpec, planLayers } from "./network-plan.ts";

/**
 * The parameters that a network starts from, flat in canonical order. Each tensor has a random stream of its own,
 * named by seed and tensor, so the same on every host; needs no kernel. Throws SPEC_INVALID.
 */
export function initialParameters(spec: NetworkSpec, seed: number): Float32Array<ArrayBuffer> {
  const layout = networkLayout(spec);
  const flat = new Float32Array(layout.length);
  const initialisers = new Map(planLayers(spec).flatMap(({ parameters }) => parameters.map(({ name, initialiser }) => [name, initialiser])));
  for (const { name, offset, length } of layout.entries) {
    initialise(initialisers.get(name)!, randomStream(seed, "initial-parameters", name), flat.subarray(offset, offset + length));
  }
  return flat;
}
