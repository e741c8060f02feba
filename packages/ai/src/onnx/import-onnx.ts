import { fromBinary } from "@bufbuild/protobuf";
import { NexusError } from "@ciphernx/core/errors";
import { DataLocation, type OnnxGraph, type OnnxModel, OnnxModelSchema, type OnnxTensor } from "@ciphernx/protocol/onnx";
import type { ParameterSet, Tensor } from "../tensor/index.ts";
import { checkWire } from "./check-wire.ts";
import { elementTypeName, FLOAT } from "./element-types.ts";

/** The largest file that protobuf knows. */
const MOST_BYTES = 2 ** 31 - 1;
/** A network of hundreds of layers has some ten thousand messages, names and numbers. */
const MOST_ITEMS = 500_000;
const MOST_DIMENSIONS = 16;
/** Characters of a name that an error repeats. */
const SHOWN_CHARACTERS = 200;

/**
 * Reads the tensors of an ONNX model: its initializers by name, f32, kept in `raw_data` or `float_data`. The second input of a Gemm with
 * transB, as other tools write dense layers, comes back as [inputs, units]. Copies what it returns. What the graph computes is not looked at.
 * @throws NexusError DATA_INVALID naming the first tensor that is of another type or kept in another file, and where a file is damaged
 */
export function importOnnx(bytes: Uint8Array): ParameterSet {
  const { graph, opsetImport } = decode(bytes);
  if (graph === undefined) throw refuse("holds no graph; it may be a file of another kind");
  if (opsetImport.length === 0) throw refuse("names no operator set, which every model does; it may have been cut off");
  const transposed = transposedTensors(graph);
  const parameters = new Map<string, Tensor>();
  for (const tensor of graph.initializer) {
    if (tensor.name === "") throw refuse("holds a tensor without a name");
    if (parameters.has(tensor.name)) throw refuse(`holds two tensors named ${shown(tensor.name)}`);
    const read = readTensor(tensor);
    parameters.set(tensor.name, transposed.has(tensor.name) ? transpose(tensor.name, read) : read);
  }
  return parameters;
}

function decode(bytes: Uint8Array): OnnxModel {
  if (bytes.length > MOST_BYTES) throw refuse(`has ${bytes.length} bytes; at most ${MOST_BYTES} are read`);
  try {
    checkWire(bytes, OnnxModelSchema, { maxItems: MOST_ITEMS, refuse });
    return fromBinary(OnnxModelSchema, bytes, { readUnknownFields: false });
  } catch (error) {
    if (error instanceof NexusError) throw error;
    throw refuse(`is no ONNX model, is cut off or damaged (${error instanceof Error ? error.message : String(error)})`, error);
  }
}

function readTensor({ name, dims, dataType, segment, floatData, rawData, externalData, dataLocation }: OnnxTensor): Tensor {
  if (dataType !== FLOAT) throw refuse(`holds the tensor ${shown(name)} as ${elementTypeName(dataType)}; parameters are FLOAT`);
  if (dataLocation === DataLocation.EXTERNAL || externalData.length > 0) {
    throw refuse(`keeps the tensor ${shown(name)} in another file; save the model in one file`);
  }
  if (segment !== undefined) throw refuse(`holds a part of the tensor ${shown(name)} only`);
  if (dims.length > MOST_DIMENSIONS) throw refuse(`gives the tensor ${shown(name)} ${dims.length} dimensions; at most ${MOST_DIMENSIONS} are read`);
  const text = `[${dims.join(", ")}]`;
  if (dims.some((size) => size < 0n)) throw refuse(`gives the tensor ${shown(name)} the impossible shape ${text}`);
  // Exact: whole numbers of any size.
  const length = dims.reduce((product, size) => product * size, 1n);
  const heldBytes = rawData.length + floatData.length * 4;
  if (rawData.length > 0 && floatData.length > 0) throw refuse(`holds the tensor ${shown(name)} twice`);
  if (BigInt(heldBytes) !== length * 4n) throw refuse(`gives the tensor ${shown(name)} ${heldBytes} bytes, its shape ${text} needs ${length * 4n}`);
  const data = new Float32Array(Number(length));
  if (floatData.length > 0) data.set(floatData);
  // Little-endian, as typed arrays are on every host that Node and browsers run on.
  else new Uint8Array(data.buffer).set(rawData);
  return { shape: dims.map(Number), data };
}

/** Names of the tensors that a Gemm takes transposed. */
function transposedTensors({ node, initializer }: OnnxGraph): ReadonlySet<string> {
  const names = new Set(initializer.map(({ name }) => name));
  const transposed = new Set<string>();
  const asTheyAre = new Set<string>();
  for (const { opType, domain, input, attribute } of node) {
    const isGemm = opType === "Gemm" && (domain === "" || domain === "ai.onnx");
    const isTransposed = isGemm && attribute.some(({ name, i }) => name === "transB" && i !== 0n);
    const scaled = isGemm ? attribute.find(({ name, f }) => (name === "alpha" || name === "beta") && f !== 1) : undefined;
    input.forEach((name, place) => {
      if (!names.has(name)) return;
      if (scaled !== undefined && place > 0) {
        throw refuse(`multiplies the tensor ${shown(name)} by ${scaled.f} (${scaled.name} of a Gemm); a dense layer takes its tensors as they are`);
      }
      (isTransposed && place === 1 ? transposed : asTheyAre).add(name);
    });
  }
  for (const name of transposed) if (asTheyAre.has(name)) throw refuse(`uses the tensor ${shown(name)} both transposed and as it is`);
  return transposed;
}

function transpose(name: string, { shape, data }: Tensor): Tensor {
  const [rows, columns, ...more] = shape;
  if (rows === undefined || columns === undefined || more.length > 0) {
    throw refuse(`gives the tensor ${shown(name)} of a Gemm the shape [${shape.join(", ")}]; it needs two dimensions`);
  }
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) turned[column * rows + row] = data[row * columns + column]!;
  }
  return { shape: [columns, rows], data: turned };
}

function shown(name: string): string {
  return name.length <= SHOWN_CHARACTERS ? `"${name}"` : `"${name.slice(0, SHOWN_CHARACTERS)}…"`;
}

function refuse(problem: string, cause?: unknown): NexusError {
  return new NexusError("DATA_INVALID", `The ONNX model ${problem}.`, {
    hint: "Export the model anew as one file with f32 weights; it may have been cut off or damaged.",
    ...(cause === undefined ? {} : { cause }),
  });
}
