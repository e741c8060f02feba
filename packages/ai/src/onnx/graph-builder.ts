import { create } from "@bufbuild/protobuf";
import { AttributeType, type OnnxAttribute, OnnxAttributeSchema, type OnnxNode, OnnxNodeSchema } from "@ciphernx/protocol/onnx";

/** Values of a node's attributes: a whole number, whole numbers, or `{ float }` and `{ floats }` for numbers that are stored as f32. */
export type AttributeValue = number | readonly number[] | { readonly float: number } | { readonly floats: readonly number[] };

/** What a node is beside its operator. */
export interface NodeOptions {
  /** Name of the node and of its one output. */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** For people who look at the graph. */
  readonly doc?: string;
}

/** Collects the nodes of a graph in the order in which they run. Values are known by name. */
export interface GraphBuilder {
  readonly nodes: readonly OnnxNode[];
  /** Adds a node of the standard's operators and returns the name of its output. */
  add(operator: string, options: NodeOptions): string;
  /** A one-dimensional constant of whole numbers (i64): a shape. */
  integers(name: string, values: readonly number[]): string;
  /** A constant of f32: a number, or a vector of them. */
  floats(name: string, values: number | readonly number[]): string;
}

/**
 * Constants are nodes, not initializers: the initializers of an exported file are the model's tensors and nothing else, so that reading
 * them gives the model back.
 */
export function createGraphBuilder(): GraphBuilder {
  const nodes: OnnxNode[] = [];
  const builder: GraphBuilder = {
    nodes,
    add(operator, { name, inputs, attributes = {}, doc = "" }) {
      const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
      nodes.push(create(OnnxNodeSchema, { opType: operator, name, input: [...inputs], output: [name], attribute, docString: doc }));
      return name;
    },
    integers: (name, values) => builder.add("Constant", { name, inputs: [], attributes: { value_ints: values } }),
    floats: (name, values) =>
      builder.add("Constant", {
        name,
        inputs: [],
        attributes: typeof values === "number" ? { value_float: { float: values } } : { value_floats: { floats: values } },
      }),
  };
  return builder;
}

function attributeOf(name: string, value: AttributeValue): OnnxAttribute {
  if (typeof value === "number") return create(OnnxAttributeSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  if ("float" in value) return create(OnnxAttributeSchema, { name, type: AttributeType.FLOAT, f: value.float });
  if ("floats" in value) return create(OnnxAttributeSchema, { name, type: AttributeType.FLOATS, floats: [...value.floats] });
  return create(OnnxAttributeSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}
