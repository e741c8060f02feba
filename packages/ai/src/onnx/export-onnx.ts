import { create, toBinary } from "@bufbuild/protobuf";
import { NexusError } from "@ciphernx/core/errors";
import { OnnxModelSchema, OnnxTensorSchema, type ValueInfo, ValueInfoSchema } from "@ciphernx/protocol/onnx";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { type DatasetSchema, featureColumns, featureLength } from "../data/index.ts";
import { type Preprocessing, preprocessingHash } from "../data/preprocess/index.ts";
import { isOfFeature, preparedFeatures } from "../data/preprocess/preprocessing.ts";
import { inferShapes, networkLayout, type NetworkSpec, type Shape } from "../nn/index.ts";
import { encodeSafetensors, viewParameters } from "../tensor/index.ts";
import { FLOAT, UINT8 } from "./element-types.ts";
import { createGraphBuilder, type GraphBuilder } from "./graph-builder.ts";
import { addLayers, castToFloat, reshape } from "./layer-nodes.ts";
import { addPreprocessing } from "./preprocess-nodes.ts";

/**
 * The pair that ONNX 1.12 (2022) defined: the newest operators that are used here (BatchNormalization 15) are in it, and every runtime
 * since reads it, `onnxruntime-web` among them. Nothing of later versions would make a graph smaller or truer.
 */
const IR_VERSION = 8n;
const OPERATORS_VERSION = 17n;

/** A protobuf message has at most 2 GiB; what is no tensor is far below this margin. */
const MOST_TENSOR_BYTES = 2 ** 31 - 2 ** 24;

/** A model that becomes an ONNX file. */
export interface OnnxExport {
  readonly network: NetworkSpec;
  /** All parameters, flat in canonical order. */
  readonly parameters: Float32Array;
  /** Name of the graph, for example the run's. */
  readonly name: string;
  /**
   * What a row is: the file takes rows as they are stored, bytes with their scale applied in the graph. Default: f32 of the network's
   * input shape.
   */
  readonly schema?: DatasetSchema;
  /**
   * How rows of the schema become the network's inputs. The graph begins with it: a missing cell is NaN, categories are their positions.
   * Default: the rows are the inputs.
   */
  readonly preprocessing?: Preprocessing;
  /** Where the model's card is found, for example its file's name. */
  readonly card?: string;
}

/**
 * Writes a network and its parameters as an ONNX model, the same bytes for the same model. The input `input` is a batch of any size of rows,
 * the output `output` [batch, outputs] is what `Network.predict` gives: probabilities of classes, or values. The initializers are the
 * model's tensors under their own names; the metadata name the model's hash, that of its preprocessing, and its card.
 * @throws NexusError SPEC_INVALID when the spec makes no network, MODEL_NOT_USABLE when parameters, rows or preprocessing do not fit it, f32 does
 *   not have the preprocessing's numbers, or the file would be too large
 */
export function exportOnnx({ network, parameters, name, schema, preprocessing, card }: OnnxExport): Uint8Array<ArrayBuffer> {
  const layout = networkLayout(network);
  const inputShape = network.inputShape ?? [network.inputLength];
  const layers = inferShapes(network.layers, inputShape);
  if (parameters.length !== layout.length) throw unusable(`${parameters.length} parameters were given; the network has ${layout.length}`, name);
  if (layout.length * 4 > MOST_TENSOR_BYTES) throw unusable(`it has ${layout.length} parameters; an ONNX file holds at most 2 GiB`, name);
  const misfit = preprocessing === undefined ? rowsMisfit(network, schema) : preprocessingMisfit(network, preprocessing, schema);
  if (misfit !== undefined) throw unusable(misfit, name);

  const graph = createGraphBuilder();
  const rows = preprocessing === undefined ? addRows(graph, schema, inputShape) : addPreparedRows(graph, preprocessing, inputShape, name);
  const value = addLayers(graph, network.layers, layers, rows.value);
  addHead(graph, network, value, layers.at(-1)!.outputShape);
  const tensors = viewParameters(parameters, layout);
  const outputLength = layers.at(-1)!.outputShape.reduce((product, size) => product * size, 1);

  const model = create(OnnxModelSchema, {
    irVersion: IR_VERSION,
    producerName: "cipher-nexus",
    opsetImport: [{ domain: "", version: OPERATORS_VERSION }],
    graph: {
      name,
      node: [...graph.nodes],
      initializer: [...tensors].map(([tensorName, { shape, data }]) =>
        create(OnnxTensorSchema, {
          name: tensorName,
          dims: shape.map(BigInt),
          dataType: FLOAT,
          // Typed arrays hold the bytes in the host's order, which is little-endian on every host that Node and browsers run on.
          rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
        }),
      ),
      input: [valueInfo("input", rows.elementType, rows.shape, rows.doc)],
      output: [valueInfo("output", FLOAT, [outputLength], OUTPUT_DOCS[network.loss])],
    },
    metadataProps: [
      { key: "ciphernx.model.sha256", value: bytesToHex(sha256(encodeSafetensors(tensors))) },
      ...(preprocessing === undefined ? [] : [{ key: "ciphernx.preprocessing", value: preprocessingHash(preprocessing) }]),
      ...(card === undefined ? [] : [{ key: "ciphernx.card", value: card }]),
    ],
  });
  return toBinary(OnnxModelSchema, model);
}

const OUTPUT_DOCS: Readonly<Record<NetworkSpec["loss"], string>> = {
  "softmax-cross-entropy": "Probability of each class.",
  bce: "Probability of each output.",
  mse: "Values.",
};

interface Rows {
  /** The rows as the first layer takes them. */
  readonly value: string;
  readonly elementType: number;
  readonly shape: Shape;
  readonly doc: string;
}

function rowsMisfit({ inputLength }: NetworkSpec, schema: DatasetSchema | undefined): string | undefined {
  if (schema === undefined || featureLength(schema) === inputLength) return undefined;
  return `its network takes ${inputLength} features; a row of its schema has ${featureLength(schema)}`;
}

/** Whether rows are prepared into what the network takes, column by column of the schema. */
function preprocessingMisfit({ inputLength }: NetworkSpec, preprocessing: Preprocessing, schema: DatasetSchema | undefined): string | undefined {
  const { columns } = preprocessing;
  const width = preparedFeatures(preprocessing);
  if (width !== inputLength) return `its network takes ${inputLength} features; its preprocessing makes ${width}`;
  if (schema === undefined) return undefined;
  const declared = schema.kind === "table" ? featureColumns(schema) : [];
  if (declared.length !== columns.length) return `its preprocessing is of ${columns.length} columns; a row of its schema has ${declared.length}`;
  const at = columns.findIndex((column, index) => !isOfFeature(column, declared[index]!));
  return at === -1 ? undefined : `its preprocessing has the column "${columns[at]!.column}" otherwise than its schema`;
}

/** From rows of a table as they are read to [batch, …inputShape] of prepared features. */
function addPreparedRows(graph: GraphBuilder, preprocessing: Preprocessing, inputShape: Shape, model: string): Rows {
  const names = preprocessing.columns.map(({ column }) => column);
  const whole = preprocessing.columns.filter(({ fill }) => fill === null).map(({ column }) => column);
  const features = preparedFeatures(preprocessing);
  const prepared = addPreprocessing(graph, preprocessing, "input", model);
  const gaps = whole.length === 0 ? "A missing cell is NaN." : `A missing cell is NaN; nothing fills those of ${whole.join(", ")}.`;
  return {
    value: shapedRows(graph, prepared, [features], inputShape),
    elementType: FLOAT,
    shape: [names.length],
    doc: `Rows of features in this order, not scaled: ${names.join(", ")}. A category is its position in the schema's list. ${gaps}`,
  };
}

/** From rows as they are stored to [batch, …inputShape] of f32. */
function addRows(graph: GraphBuilder, schema: DatasetSchema | undefined, inputShape: Shape): Rows {
  if (schema === undefined) return { value: "input", elementType: FLOAT, shape: inputShape, doc: "Rows of features." };
  if (schema.kind === "table") {
    const names = featureColumns(schema).map((column) => column.name);
    const doc = `Rows of features in this order: ${names.join(", ")}. A category is its position in the schema's list.`;
    return { value: shapedRows(graph, "input", [names.length], inputShape), elementType: FLOAT, shape: [names.length], doc };
  }
  const { shape, element, scale } = schema;
  if (element === "f32") return { value: shapedRows(graph, "input", shape, inputShape), elementType: FLOAT, shape, doc: "Rows as they are stored." };
  let value = castToFloat(graph, "input/floats", "input");
  if (scale !== 1) {
    const doc = `The schema's scale: a stored byte is multiplied by ${scale} before it is learnt from.`;
    value = graph.add("Mul", { name: "input/scaled", inputs: [value, graph.floats("input/scale", scale)], doc });
  }
  return {
    value: shapedRows(graph, value, shape, inputShape),
    elementType: UINT8,
    shape,
    doc: "Rows as they are stored, bytes that are not scaled.",
  };
}

function shapedRows(graph: GraphBuilder, value: string, from: Shape, to: Shape): string {
  return from.join() === to.join() ? value : reshape(graph, "input/shaped", value, to);
}

/** What `Network.predict` makes of the last layer's outputs, flat. */
function addHead(graph: GraphBuilder, { loss }: NetworkSpec, value: string, shape: Shape): void {
  const flat = shape.length === 1 ? value : graph.add("Flatten", { name: "output/flat", inputs: [value], attributes: { axis: 1 } });
  if (loss === "softmax-cross-entropy") graph.add("Softmax", { name: "output", inputs: [flat], attributes: { axis: -1 } });
  else graph.add(loss === "bce" ? "Sigmoid" : "Identity", { name: "output", inputs: [flat] });
}

function valueInfo(name: string, elemType: number, shape: Shape, docString: string): ValueInfo {
  const dim = [
    { value: { case: "dimParam" as const, value: "batch" } },
    ...shape.map((size) => ({ value: { case: "dimValue" as const, value: BigInt(size) } })),
  ];
  return create(ValueInfoSchema, { name, docString, type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } } });
}

function unusable(problem: string, model: string): NexusError {
  return new NexusError("MODEL_NOT_USABLE", `The model "${model}" cannot become an ONNX file: ${problem}.`, { details: { model } });
}
