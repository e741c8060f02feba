import type { Refusal } from "@ciphernx/core/spec";
import type { ModelShape } from "../models/index.ts";
import { inferShapes, type LayerShapes } from "../nn/index.ts";
import { matchTensors, type NamedTensor } from "../strategy/local-tensors.ts";
import type { RunSpec } from "./run-spec.ts";

/** Names of tensors that a refusal lists. */
const LISTED = 8;

/** The tensors that stay with the parties, sorted by name; empty when the spec names none, or refused. */
export function chooseLocal(spec: RunSpec, { network, tensors }: ModelShape, refusals: Refusal[]): readonly string[] {
  const { local: patterns } = spec.strategy;
  if (patterns === undefined) return [];
  const layers = network === undefined ? [] : inferShapes(network.layers, network.inputShape ?? [network.inputLength]);
  const named = tensors.map(({ name }): NamedTensor => ({ name, layerKinds: kindsAround(name, layers) }));
  const { local, unmatched } = matchTensors(patterns, named);
  if (unmatched.length > 0) {
    const rest = patterns.filter((pattern) => !unmatched.includes(pattern));
    const more = tensors.length > LISTED ? ", …" : "";
    refusals.push({
      path: "strategy.local",
      reason: `No tensor or kind of layer of the model is called ${unmatched.map((pattern) => `"${pattern}"`).join(" or ")}; its tensors are ${tensors
        .slice(0, LISTED)
        .map(({ name }) => name)
        .join(", ")}${more}.`,
      remedy: "Name tensors or kinds of layers that the model has, with * for any characters, or leave the key out to share all.",
      ...(rest.length === 0 ? {} : { edits: [{ path: "strategy.local", value: rest }] }),
    });
    return [];
  }
  if (local.length === tensors.length) {
    refusals.push({
      path: "strategy.local",
      reason: "Every tensor of the model stays with the parties, so they would learn nothing from each other.",
      remedy: "Leave at least one tensor to be shared.",
    });
    return [];
  }
  return local;
}

/** Tensors of a network that gradients do not move, such as running statistics, sorted by name. */
export function untrainedTensors({ network, tensors }: ModelShape): readonly string[] {
  if (network === undefined) return [];
  const layers = inferShapes(network.layers, network.inputShape ?? [network.inputLength]);
  const untrained = new Set(layers.flatMap(({ parameters }) => parameters.filter(({ trained }) => !trained).map(({ name }) => name)));
  return tensors.map(({ name }) => name).filter((name) => untrained.has(name));
}

/** Kinds of the layers that a tensor lies in, outermost first. */
function kindsAround(tensor: string, layers: readonly LayerShapes[]): readonly string[] {
  const layer = layers.find(({ name }) => tensor.startsWith(`${name}.`));
  return layer === undefined ? [] : [layer.kind, ...kindsAround(tensor, layer.inner)];
}
