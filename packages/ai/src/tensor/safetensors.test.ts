import { NexusError } from "@ciphernx/core/errors";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeParameters, decodeSafetensors, parseSafetensorsHeader } from "./safetensors-decode.ts";
import { encodeSafetensors, safetensorsHeader, safetensorsLayout, safetensorsSizeBytes, type StoredTensor } from "./safetensors.ts";

/** A file with any header text, for what the writer would never write. */
function file(header: string | Uint8Array, dataBytes = 0, declared?: bigint): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, declared ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function problem(action: () => unknown): NexusError {
  try {
    action();
  } catch (error) {
    if (error instanceof NexusError) return error;
    throw error;
  }
  throw new Error("Nothing was refused.");
}

const tensor = (begin: number, end: number, shape = `[${(end - begin) / 4}]`, dtype = "F32") =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe("the safetensors format", () => {
  it("writes the bytes that the format's description gives for one matrix and one scalar", () => {
    const bytes = encodeSafetensors(
      new Map([
        ["w", { shape: [1, 2], data: new Float32Array([1, -2]) }],
        ["b", { shape: [], data: new Float32Array([0.5]) }],
      ]),
    );
    // 109 characters of JSON, padded with spaces to 112 = 0x70.
    const json = '{"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]}}';
    const padded = json.padEnd(112, " ");
    expect(padded).toHaveLength(112);
    const wanted = [0x70, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from(padded, "latin1")];
    wanted.push(0x00, 0x00, 0x00, 0x3f, 0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0xc0);
    expect([...bytes]).toEqual(wanted);
  });

  it("reads a file that another writer made: metadata, names out of order, no padding", () => {
    const header = `{"__metadata__":{"format":"pt"},"z":${tensor(0, 4)},"a":${tensor(4, 5, "[1]", "U8")}}`;
    const bytes = file(header, 5);
    bytes.set([0, 0, 0x80, 0x3f, 7], bytes.length - 5);
    const tensors = decodeSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(["z", "a"]);
    expect(tensors.get("z")).toEqual({ dtype: "F32", shape: [1], data: new Float32Array([1]) });
    expect(tensors.get("a")).toEqual({ dtype: "U8", shape: [1], data: new Uint8Array([7]) });
  });

  it("does not depend on the order of insertion, and reads back what it wrote at any alignment", () => {
    const element = fc.double({ noNaN: true, min: -1e3, max: 1e3 });
    const anyTensor: fc.Arbitrary<StoredTensor> = fc.oneof(
      fc.array(element, { maxLength: 5 }).map((values) => ({ dtype: "F32" as const, shape: [values.length], data: new Float32Array(values) })),
      fc.array(element, { maxLength: 5 }).map((values) => ({ dtype: "F64" as const, shape: [values.length, 1], data: new Float64Array(values) })),
      fc
        .array(fc.integer({ min: -128, max: 127 }), { maxLength: 5 })
        .map((values) => ({ dtype: "I8" as const, shape: [1, values.length], data: new Int8Array(values) })),
    );
    const name = fc.string({ unit: "binary", minLength: 1, maxLength: 6 }).filter((text) => text.isWellFormed() && text !== "__metadata__");
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, anyTensor), { selector: ([key]) => key, maxLength: 6 }),
        fc.integer({ min: 0, max: 7 }),
        (entries, shift) => {
          const bytes = encodeSafetensors(new Map(entries));
          expect(Buffer.compare(encodeSafetensors(new Map(entries.toReversed())), bytes)).toBe(0);
          const moved = new Uint8Array(bytes.length + shift).subarray(shift);
          moved.set(bytes);
          expect(Object.fromEntries(decodeSafetensors(moved))).toEqual(Object.fromEntries(entries));
          expect(bytes.length).toBe(safetensorsSizeBytes(entries.map(([key, { shape, dtype }]) => ({ name: key, shape, dtype }))));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("plans where tensors lie: widest first, then by name", () => {
    const described = [
      { name: "a", shape: [3], dtype: "I8" as const },
      { name: "c", shape: [2, 2] },
      { name: "b", shape: [5] },
    ];
    const layout = safetensorsLayout(described);
    expect(layout.headerBytes % 8).toBe(0);
    expect(layout.entries.map(({ name, offsetBytes, sizeBytes }) => [name, offsetBytes - layout.headerBytes, sizeBytes])).toEqual([
      ["b", 0, 20],
      ["c", 20, 16],
      ["a", 36, 3],
    ]);
    expect(parseSafetensorsHeader(safetensorsHeader(described))).toEqual(layout);
  });

  it("refuses names and lengths that no file can have", () => {
    for (const name of ["", "__metadata__", "\ud800"]) expect(problem(() => safetensorsHeader([{ name, shape: [1] }])).code).toBe("DATA_INVALID");
    expect(
      problem(() =>
        safetensorsHeader([
          { name: "a", shape: [] },
          { name: "a", shape: [2] },
        ]),
      ).message,
    ).toContain('Two tensors are named "a"');
    expect(problem(() => safetensorsHeader([{ name: "a", shape: [-1] }])).message).toContain("[-1]");
    expect(problem(() => encodeSafetensors(new Map([["a", { shape: [3], data: new Float32Array(2) }]]))).message).toContain(
      "has 2 elements, its shape says 3",
    );
  });
});

describe("a hostile file", () => {
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ["nothing", new Uint8Array(0), "has 0 bytes"],
    ["a length field cut off", new Uint8Array(7), "has 7 bytes"],
    ["a huge header", file("{}", 0, 2n ** 63n), "declares a header of 9223372036854775808 bytes"],
    ["a header beyond the file", file("{}", 0, 100n), "declares a header of 100 bytes but has 2"],
    ["an empty header", file("", 8), "does not begin with {"],
    ["a header that begins with a space", file(" {}"), "does not begin with {"],
    ["a list", file("[]"), "does not begin with {"],
    ["broken JSON", file('{"a":'), "not JSON"],
    ["text after the header", file("{}x"), "not JSON"],
    ["broken UTF-8", file(new Uint8Array([0x7b, 0xff, 0x7d])), "not JSON in UTF-8"],
    ["metadata that is not text", file('{"__metadata__":{"a":1}}'), "does not map text to text"],
    ["a tensor that is a number", file('{"a":1}'), '"a" by something that is not an object'],
    ["a tensor without dtype", file('{"a":{"shape":[],"data_offsets":[0,4]}}', 4), '"a" as undefined'],
    ["an unknown dtype", file(`{"a":${tensor(0, 2, "[1]", "F16")}}`, 2), '"a" as "F16"'],
    ["a dtype of Object's prototype", file(`{"a":${tensor(0, 4, "[1]", "constructor")}}`, 4), '"a" as "constructor"'],
    ["an unknown key", file('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}}', 4), 'unknown key "x"'],
    ["a negative size", file(`{"a":${tensor(0, 4, "[-1]")}}`, 4), "shape that is not a list of whole numbers"],
    ["a fractional size", file(`{"a":${tensor(0, 4, "[0.5]")}}`, 4), "shape that is not a list of whole numbers"],
    ["a size beyond exact integers", file(`{"a":${tensor(0, 4, "[9007199254740993]")}}`, 4), "shape that is not a list of whole numbers"],
    ["a product that overflows", file(`{"a":${tensor(0, 4, "[4294967296,4294967296,4294967296]")}}`, 4), "more than can be counted"],
    ["one offset", file('{"a":{"dtype":"F32","shape":[],"data_offsets":[0]}}', 4), "not two whole numbers"],
    ["a range that is too short", file(`{"a":${tensor(0, 4, "[2]")}}`, 4), "4 bytes, its shape [2] of F32 needs 8"],
    ["a range that runs backwards", file(`{"a":${tensor(8, 4, "[1]")}}`, 8), "-4 bytes"],
    ["an overlap", file(`{"a":${tensor(0, 8)},"b":${tensor(4, 12)}}`, 12), 'an overlap of 4 bytes before the tensor "b"'],
    ["a gap", file(`{"a":${tensor(0, 4)},"b":${tensor(8, 12)}}`, 12), 'a gap of 4 bytes before the tensor "b"'],
    ["a gap at the beginning", file(`{"a":${tensor(4, 8)}}`, 8), "a gap of 4 bytes"],
    ["a file cut off", file(`{"a":${tensor(0, 8)}}`, 7), "its header accounts for"],
    ["bytes after the last tensor", file(`{"a":${tensor(0, 8)}}`, 9), "its header accounts for"],
    ["a name twice over the same bytes", file(`{"a":${tensor(0, 4)},"\\u0061":${tensor(0, 4)}}`, 4), 'names "a" twice'],
    ["a key twice in a tensor", file('{"a":{"dtype":"F64","dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4), 'names "dtype" twice'],
  ];

  it.each(cases)("with %s is refused and says so", (_name, bytes, reason) => {
    const error = problem(() => decodeSafetensors(bytes, { subject: "The model m" }));
    expect(error.code).toBe("DATA_INVALID");
    expect(error.message).toMatch(/^The model m /);
    expect(error.message).toContain(reason);
  });

  it("does not fool the look-out for repeated names with braces, quotes and colons inside names", () => {
    const odd = '{":\\"[a\\\\';
    const twice = `{${JSON.stringify(odd)}:${tensor(0, 4)},${JSON.stringify(odd)}:${tensor(0, 4)}}`;
    expect(problem(() => decodeSafetensors(file(twice, 4))).message).toContain("twice");
    expect([...decodeSafetensors(encodeSafetensors(new Map([[odd, { shape: [], data: new Float32Array(1) }]]))).keys()]).toEqual([odd]);
  });

  it("keeps a tensor named __proto__ an ordinary tensor", () => {
    expect([...decodeSafetensors(file(`{"__proto__":${tensor(0, 4)}}`, 4)).keys()]).toEqual(["__proto__"]);
  });

  it("answers with a NexusError whatever single byte of a good file is changed", () => {
    const good = encodeSafetensors(new Map([["w", { shape: [2], data: new Float32Array([1, 2]) }]]));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: good.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const bytes = good.slice();
        bytes[at] = byte;
        try {
          const [decoded] = decodeSafetensors(bytes).values();
          expect(decoded?.data.byteLength ?? 8).toBe(8);
        } catch (error) {
          expect(error).toBeInstanceOf(NexusError);
        }
      }),
    );
  });

  it("is held to the reader's own limit, code and subject", () => {
    const bytes = encodeSafetensors(new Map([["w", { shape: [2], data: new Float32Array([1, 2]) }]]));
    const error = problem(() => parseSafetensorsHeader(bytes, { maxHeaderBytes: 16, code: "UPDATE_REJECTED", subject: "The update" }));
    expect(error.code).toBe("UPDATE_REJECTED");
    expect(error.message).toBe("The update declares a header of 56 bytes; at most 16 are read.");
  });
});

describe("decodeParameters", () => {
  it("takes F32 and nothing else", () => {
    const data = new Float32Array([1, 2]);
    expect(decodeParameters(encodeSafetensors(new Map([["w", { shape: [2], data }]])))).toEqual(new Map([["w", { shape: [2], data }]]));
    const wide = encodeSafetensors(new Map<string, StoredTensor>([["w", { dtype: "F64", shape: [1], data: new Float64Array(1) }]]));
    expect(problem(() => decodeParameters(wide)).message).toContain('the tensor "w" as F64');
  });
});
