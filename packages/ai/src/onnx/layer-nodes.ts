import { NexusError } from "@ciphernx/core/errors";
import type { LayerShapes, LayerSpec, Shape } from "../nn/index.ts";
import { FLOAT, INT64 } from "./element-types.ts";
import type { AttributeValue, GraphBuilder } from "./graph-builder.ts";

/** One number for both directions, or [vertical, horizontal]. */
type Pair = number | readonly [number, number];

/** A layer that becomes nodes. */
interface LayerPlace<Spec> {
  readonly graph: GraphBuilder;
  readonly spec: Spec;
  /** Name and shapes; names of parameters are those of the model's tensors. */
  readonly layer: LayerShapes;
  /** The value that goes in, [batch, …layer.inputShape]. */
  readonly input: string;
}

/** Adds a layer's nodes and returns the value that comes out, [batch, …layer.outputShape]. */
type LayerNodes<Spec> = (place: LayerPlace<Spec>) => string;

const LAYER_NODES: { readonly [Kind in LayerSpec["kind"]]: LayerNodes<Extract<LayerSpec, { kind: Kind }>> } = {
  dense({ graph, layer, input }) {
    const rows =
      layer.inputShape.length === 1 ? input : graph.add("Flatten", { name: `${layer.name}/rows`, inputs: [input], attributes: { axis: 1 } });
    return graph.add("Gemm", { name: layer.name, inputs: [rows, tensor(layer, "weight"), tensor(layer, "bias")] });
  },

  conv2d({ graph, spec, layer, input }) {
    const inputs = [input, tensor(layer, "weight"), tensor(layer, "bias")];
    return graph.add("Conv", { name: layer.name, inputs, attributes: windowAttributes(spec.size, spec.stride ?? 1, spec.padding ?? 0) });
  },

  "depthwise-conv2d"({ graph, spec, layer, input }) {
    const inputs = [input, tensor(layer, "weight"), tensor(layer, "bias")];
    const attributes = { ...windowAttributes(spec.size, spec.stride ?? 1, spec.padding ?? 0), group: layer.inputShape[0]! };
    return graph.add("Conv", { name: layer.name, inputs, attributes });
  },

  "max-pool"({ graph, spec, layer, input }) {
    const attributes = windowAttributes(spec.size, spec.stride ?? spec.size, spec.padding ?? 0);
    return graph.add("MaxPool", { name: layer.name, inputs: [input], attributes });
  },

  "average-pool"({ graph, spec, layer, input }) {
    const attributes = { ...windowAttributes(spec.size, spec.stride ?? spec.size, spec.padding ?? 0), count_include_pad: 0 };
    return graph.add("AveragePool", { name: layer.name, inputs: [input], attributes });
  },

  "global-average-pool"({ graph, layer, input }) {
    const means = graph.add("GlobalAveragePool", { name: `${layer.name}/means`, inputs: [input] });
    return graph.add("Flatten", { name: layer.name, inputs: [means], attributes: { axis: 1 } });
  },

  flatten: ({ graph, layer, input }) => graph.add("Flatten", { name: layer.name, inputs: [input], attributes: { axis: 1 } }),

  /**
   * InstanceNormalization over the groups, then weight and bias by channel. GroupNormalization would be one node, but runtimes expand it
   * as the standard's function body does, mean of squares minus square of mean: values around 30 that deviate by 0.3 are then off by 1e-2
   * in onnxruntime-web, values around 300 become NaN; this way they are off by 4e-5 and 8e-4, as f32 has it.
   */
  "group-norm"({ graph, spec, layer, input }) {
    const { name, inputShape } = layer;
    const [channels = 1, ...spatial] = inputShape;
    const groups = reshape(graph, `${name}/groups`, input, [spec.groups, -1]);
    const ones = graph.floats(
      `${name}/ones`,
      Array.from({ length: spec.groups }, () => 1),
    );
    const zeros = graph.floats(
      `${name}/zeros`,
      Array.from({ length: spec.groups }, () => 0),
    );
    const attributes = { epsilon: { float: spec.epsilon ?? 1e-5 } };
    const normal = graph.add("InstanceNormalization", { name: `${name}/normal`, inputs: [groups, ones, zeros], attributes });
    const shaped = reshape(graph, `${name}/channels`, normal, inputShape);
    const [weight, bias] = ["weight", "bias"].map((own) => {
      if (spatial.length === 0) return tensor(layer, own);
      const shape = graph.integers(`${name}/${own}/shape`, [channels, ...spatial.map(() => 1)]);
      return graph.add("Reshape", { name: `${name}/${own}`, inputs: [tensor(layer, own), shape] });
    }) as [string, string];
    const scaled = graph.add("Mul", { name: `${name}/scaled`, inputs: [shaped, weight] });
    return graph.add("Add", { name, inputs: [scaled, bias] });
  },

  "batch-norm"({ graph, spec, layer, input }) {
    const inputs = [input, ...["weight", "bias", "runningMean", "runningVariance"].map((own) => tensor(layer, own))];
    return graph.add("BatchNormalization", { name: layer.name, inputs, attributes: { epsilon: { float: spec.epsilon ?? 1e-5 } } });
  },

  residual({ graph, spec, layer, input }) {
    const body = addLayers(graph, spec.layers, layer.inner.slice(0, spec.layers.length), input);
    const beside = addLayers(graph, spec.shortcut ?? [], layer.inner.slice(spec.layers.length), input);
    return graph.add("Add", { name: layer.name, inputs: [body, beside] });
  },

  /** In evaluation nothing happens. */
  dropout: ({ input }) => input,

  /** Tokens come as f32, as all features do; rows of the table come out channels first. */
  embedding({ graph, layer, input }) {
    const tokens = graph.add("Cast", { name: `${layer.name}/tokens`, inputs: [input], attributes: { to: INT64 } });
    const doc = "Tokens are whole numbers from 0, below the number of rows of the table.";
    const vectors = graph.add("Gather", { name: `${layer.name}/vectors`, inputs: [tensor(layer, "weight"), tokens], attributes: { axis: 0 }, doc });
    return graph.add("Transpose", { name: layer.name, inputs: [vectors], attributes: { perm: [0, 2, 1] } });
  },

  relu: ({ graph, layer, input }) => graph.add("Relu", { name: layer.name, inputs: [input] }),
  tanh: ({ graph, layer, input }) => graph.add("Tanh", { name: layer.name, inputs: [input] }),
  sigmoid: ({ graph, layer, input }) => graph.add("Sigmoid", { name: layer.name, inputs: [input] }),
};

/** Adds the nodes of layers one behind the other and returns the value that comes out; without layers that is the input. */
export function addLayers(graph: GraphBuilder, specs: readonly LayerSpec[], layers: readonly LayerShapes[], input: string): string {
  return specs.reduce((value, spec, index) => {
    if (!Object.hasOwn(LAYER_NODES, spec.kind)) throw new NexusError("SPEC_INVALID", `There is no layer ${JSON.stringify(spec.kind)}.`);
    // The table gives each kind the function of its own spec, which its type cannot say of a kind that is not known yet.
    const add = LAYER_NODES[spec.kind] as LayerNodes<LayerSpec>;
    return add({ graph, spec, layer: layers[index]!, input: value });
  }, input);
}

/** [batch, …] with another shape of each example; −1 in one place is what remains. */
export function reshape(graph: GraphBuilder, name: string, input: string, shape: Shape): string {
  // 0 keeps the size of the batch.
  return graph.add("Reshape", { name, inputs: [input, graph.integers(`${name}/shape`, [0, ...shape])] });
}

/** The value as f32. */
export function castToFloat(graph: GraphBuilder, name: string, input: string): string {
  return graph.add("Cast", { name, inputs: [input], attributes: { to: FLOAT } });
}

function tensor(layer: LayerShapes, own: string): string {
  return `${layer.name}.${own}`;
}

function windowAttributes(size: Pair, stride: Pair, padding: Pair): Readonly<Record<string, AttributeValue>> {
  const [top, left] = pairOf(padding);
  return { kernel_shape: pairOf(size), strides: pairOf(stride), pads: [top, left, top, left] };
}

function pairOf(pair: Pair): readonly [number, number] {
  return typeof pair === "number" ? [pair, pair] : pair;
}
