import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { NexusError } from "@ciphernx/core/errors";
import { AttributeType, DataLocation, OnnxModelSchema, type OnnxTensorSchema } from "@ciphernx/protocol/onnx";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkLayout, type NetworkSpec } from "../nn/index.ts";
import { encodeSafetensors, viewParameters } from "../tensor/index.ts";
import { checkpointFromOnnx, exportOnnx, importOnnx } from "./index.ts";
import { featuresOf, LAYERS, NETWORKS, parametersOf } from "./test/networks.ts";
import { runOnnx } from "./test/onnx-runtime.ts";

const MLP: NetworkSpec = { inputLength: 5, layers: [{ kind: "dense", units: 4 }, { kind: "relu" }, { kind: "dense", units: 3 }], loss: "mse" };

function problem(work: () => unknown): NexusError {
  try {
    work();
  } catch (error) {
    if (error instanceof NexusError) return error;
    throw error;
  }
  throw new Error("Nothing was refused.");
}

type TensorInit = MessageInitShape<typeof OnnxTensorSchema>;

const W: TensorInit = { name: "w", dims: [2n], dataType: 1, rawData: new Uint8Array(new Float32Array([1, 2]).buffer) };

function model(initializer: readonly TensorInit[], node: NonNullable<MessageInitShape<typeof OnnxModelSchema>["graph"]>["node"] = []): Uint8Array {
  return toBinary(
    OnnxModelSchema,
    create(OnnxModelSchema, { irVersion: 8n, opsetImport: [{ version: 17n }], graph: { initializer: [...initializer], node } }),
  );
}

/** The model as another tool writes dense layers: weights [units, inputs], taken transposed. */
function withTransposedGemms(file: Uint8Array): Uint8Array {
  const read = fromBinary(OnnxModelSchema, file);
  for (const node of read.graph!.node.filter(({ opType }) => opType === "Gemm")) {
    const tensor = read.graph!.initializer.find(({ name }) => name === node.input[1])!;
    const [inputs, units] = tensor.dims.map(Number) as [number, number];
    const data = new Float32Array(tensor.rawData.slice().buffer);
    const turned = Float32Array.from(data, (_, at) => data[(at % inputs) * units + Math.floor(at / inputs)]!);
    tensor.dims = [BigInt(units), BigInt(inputs)];
    tensor.rawData = new Uint8Array(turned.buffer);
    node.attribute = create(OnnxModelSchema, {
      graph: { node: [{ attribute: [{ name: "transB", type: AttributeType.INT, i: 1n }] }] },
    }).graph!.node[0]!.attribute;
  }
  return toBinary(OnnxModelSchema, read);
}

describe("an exported model comes back bit by bit", () => {
  it.each([...LAYERS, ...NETWORKS].filter(([, spec]) => networkLayout(spec).length > 0))("%s", (_name, spec) => {
    const parameters = parametersOf(spec);
    const layout = networkLayout(spec);
    const file = encodeSafetensors(viewParameters(parameters, layout));
    expect(Buffer.compare(checkpointFromOnnx(exportOnnx({ network: spec, parameters, name: "back" }), layout.entries), file)).toBe(0);
  });

  it("also where another tool keeps the weights of dense layers transposed", async () => {
    const parameters = parametersOf(MLP);
    const layout = networkLayout(MLP);
    const file = exportOnnx({ network: MLP, parameters, name: "back" });
    const turned = withTransposedGemms(file);
    const features = featuresOf(MLP, 3);
    expect([...(await runOnnx(turned, features, [5]))]).toEqual([...(await runOnnx(file, features, [5]))]);
    const wanted = encodeSafetensors(viewParameters(parameters, layout));
    expect(Buffer.compare(checkpointFromOnnx(turned, layout.entries), wanted)).toBe(0);
  });

  it("also from float_data, packed and not", () => {
    const packed = model([{ name: "w", dims: [2n, 1n], dataType: 1, floatData: [1.5, -2] }]);
    expect(importOnnx(packed)).toEqual(new Map([["w", { shape: [2, 1], data: Float32Array.of(1.5, -2) }]]));
    const tensor = new BinaryWriter().tag(1, WireType.Varint).int64(2).tag(2, WireType.Varint).int32(1);
    for (const value of [1.5, -2]) tensor.tag(4, WireType.Bit32).float(value);
    tensor.tag(8, WireType.LengthDelimited).string("w");
    expect(importOnnx(wire(graphOf(5, tensor.finish()))).get("w")).toEqual({ shape: [2], data: Float32Array.of(1.5, -2) });
  });
});

describe("a checkpoint", () => {
  const file = exportOnnx({ network: MLP, parameters: parametersOf(MLP), name: "mlp" });
  const tensors = networkLayout(MLP).entries;

  it.each([
    ["a tensor that is missing", [...tensors, { name: "layer1.weight", shape: [2] }], 'has nothing under "layer1.weight"; the run\'s model has [2]'],
    ["another shape", tensors.map(({ name, shape }) => ({ name, shape: shape.toReversed() })), 'has [5, 4] under "layer0.weight"'],
    ["a tensor too many", tensors.slice(1), 'has a tensor "layer0.bias"'],
  ] as const)("names %s", (_name, wanted, message) => {
    const error = problem(() => checkpointFromOnnx(file, wanted));
    expect(error.code).toBe("DATA_INVALID");
    expect(error.message).toContain(message);
    expect(error.hint).toContain("layer2.weight");
  });
});

/** A model file around the bytes of its graph. */
function wire(graph: Uint8Array): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int64(8).tag(7, WireType.LengthDelimited).bytes(graph);
  return writer.tag(8, WireType.LengthDelimited).bytes(new BinaryWriter().tag(2, WireType.Varint).int64(17).finish()).finish();
}

/** A graph with one field of bytes. */
function graphOf(field: number, bytes: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(bytes).finish();
}

const gemm = (attribute: readonly object[], input = ["x", "w"]) => [{ opType: "Gemm", input, output: ["y"], attribute: [...attribute] }];
const SQUARE: TensorInit = { name: "w", dims: [1n, 2n], dataType: 1, floatData: [1, 2] };
const TRANSPOSED = { name: "transB", type: AttributeType.INT, i: 1n };

describe("a hostile or damaged file", () => {
  const repeated = (count: number, bytes: readonly number[]) =>
    Uint8Array.from({ length: count * bytes.length }, (_, at) => bytes[at % bytes.length]!);
  const cases: readonly (readonly [string, () => Uint8Array, string])[] = [
    ["nothing", () => new Uint8Array(0), "holds no graph"],
    ["text", () => new TextEncoder().encode("PK\u0003\u0004 not a model"), "ONNX model"],
    ["a graph that is a number", () => new BinaryWriter().tag(7, WireType.Varint).int64(5).finish(), "wire type 0 at graph"],
    ["a tensor that is a number", () => wire(new BinaryWriter().tag(5, WireType.Varint).int64(5).finish()), "wire type 0 at graph.initializer[0]"],
    [
      "data that is a number",
      () => wire(graphOf(5, new BinaryWriter().tag(9, WireType.Varint).int64(5).finish())),
      "wire type 0 at graph.initializer[0].raw_data",
    ],
    [
      "sizes that are f32",
      () => wire(graphOf(5, new BinaryWriter().tag(1, WireType.Bit32).float(5).finish())),
      "wire type 5 at graph.initializer[0].dims[0]",
    ],
    [
      "a tensor longer than its graph",
      () => wire(new BinaryWriter().tag(5, WireType.LengthDelimited).uint32(9).finish()),
      "declares 9 bytes at graph.initializer[0] where 0 are left",
    ],
    [
      "a graph longer than the file",
      () =>
        new BinaryWriter()
          .tag(7, WireType.LengthDelimited)
          .uint32(2 ** 32 - 1)
          .finish(),
      "declares 4294967295 bytes",
    ],
    ["sizes cut off in a number", () => wire(graphOf(5, graphOf(1, Uint8Array.of(0x80)))), "damaged"],
    ["float_data of half a number", () => wire(graphOf(5, graphOf(4, new Uint8Array(6)))), "no whole number of values of 4 bytes"],
    ["a name that is no text", () => wire(graphOf(5, graphOf(8, Uint8Array.of(0xff)))), "damaged"],
    ["a bomb of empty nodes", () => wire(repeated(600_000, [0x0a, 0])), "holds more than 500000 messages"],
    ["a bomb of sizes", () => wire(graphOf(5, graphOf(1, new Uint8Array(600_000)))), "holds more than 500000 messages"],
    ["groups within groups", () => repeated(100_000, [0x9b, 0x06]), "ONNX model"],
    ["another element type", () => model([{ ...W, dataType: 10 }]), 'the tensor "w" as FLOAT16'],
    ["an element type without a name", () => model([{ ...W, dataType: 99 }]), 'the tensor "w" as the element type 99'],
    ["whole numbers", () => model([W, { name: "shape", dims: [1n], dataType: 7, rawData: new Uint8Array(8) }]), 'the tensor "shape" as INT64'],
    ["data elsewhere", () => model([{ ...W, dataLocation: DataLocation.EXTERNAL }]), 'the tensor "w" in another file'],
    ["data elsewhere, by its key", () => model([{ ...W, externalData: [{ key: "location", value: "/etc/passwd" }] }]), "in another file"],
    ["a part of a tensor", () => model([{ ...W, segment: { begin: 0n, end: 1n } }]), "a part of the tensor"],
    ["no name", () => model([{ ...W, name: "" }]), "a tensor without a name"],
    ["a name twice", () => model([W, W]), 'two tensors named "w"'],
    ["too little data", () => model([{ ...W, dims: [3n] }]), '"w" 8 bytes, its shape [3] needs 12'],
    ["data twice", () => model([{ ...W, dims: [4n], floatData: [1, 2] }]), '"w" twice'],
    ["a huge size", () => model([{ ...W, dims: [2n ** 62n] }]), "needs 18446744073709551616"],
    ["sizes whose product overflows", () => model([{ ...W, dims: [2n ** 32n, 2n ** 32n, 2n] }]), "needs 147573952589676412928"],
    ["a negative size", () => model([{ ...W, dims: [-2n, -1n] }]), "impossible shape [-2, -1]"],
    ["very many sizes", () => model([{ ...W, dims: Array.from({ length: 17 }, () => 1n) }]), "17 dimensions"],
    ["a scaled Gemm", () => model([SQUARE], gemm([{ name: "alpha", type: AttributeType.FLOAT, f: 0.5 }])), "by 0.5 (alpha of a Gemm)"],
    ["a Gemm of a vector", () => model([W], gemm([TRANSPOSED])), "needs two dimensions"],
    ["a tensor both ways", () => model([SQUARE], [...gemm([TRANSPOSED]), ...gemm([])]), "both transposed and as it is"],
  ];

  it.each(cases)("with %s is refused and says so", (_name, bytes, reason) => {
    const error = problem(() => importOnnx(bytes()));
    expect(error.code).toBe("DATA_INVALID");
    expect(error.message).toMatch(/^The ONNX model /);
    expect(error.message).toContain(reason);
  });

  it("cut off anywhere is refused, or has lost nothing but what it says of itself", () => {
    const file = exportOnnx({ network: MLP, parameters: parametersOf(MLP), name: "cut", card: "mlp.card.json" });
    const whole = importOnnx(file);
    let refused = 0;
    for (let length = 0; length < file.length; length += 1) {
      try {
        expect(importOnnx(file.subarray(0, length))).toEqual(whole);
      } catch (error) {
        if (!(error instanceof NexusError) || error.code !== "DATA_INVALID") throw error;
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(file.length - 200);
  });

  it("answers with a NexusError, or tensors as large as they say, whatever single byte is changed", () => {
    const file = exportOnnx({ network: MLP, parameters: parametersOf(MLP), name: "byte" });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: file.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const bytes = file.slice();
        bytes[at] = byte;
        try {
          for (const { shape, data } of importOnnx(bytes).values()) expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(NexusError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
