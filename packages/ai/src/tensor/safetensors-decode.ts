import { NexusError } from "@ciphernx/core/errors";
import type { ParameterSet } from "./parameters.ts";
import { DTYPE_BYTES, type Dtype, type SafetensorsEntry, type SafetensorsLayout, type StoredTensor, type TensorArrays } from "./safetensors.ts";

/** What is accepted of a safetensors file that somebody else wrote, and how it is spoken of when it is not. */
export interface SafetensorsLimits {
  /** Longest header in bytes, the length field not counted. Default 8 MiB: some 80,000 tensors. */
  readonly maxHeaderBytes?: number;
  /** Code of the error. Default DATA_INVALID. */
  readonly code?: "DATA_INVALID" | "UPDATE_REJECTED";
  /** Begins every message, for example `The model ab12…`. Default `The safetensors file`. */
  readonly subject?: string;
}

const LENGTH_FIELD_BYTES = 8;
const DEFAULT_MAX_HEADER_BYTES = 8 * 1024 * 1024;
const OPENING_BRACE = 0x7b;
const METADATA = "__metadata__";

const ARRAYS: { readonly [D in Dtype]: new (buffer: ArrayBufferLike, offset: number, length: number) => TensorArrays[D] } = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
};

type Refuse = (problem: string) => NexusError;

function refusal({ code = "DATA_INVALID", subject = "The safetensors file" }: SafetensorsLimits): Refuse {
  return (problem) =>
    new NexusError(code, `${subject} ${problem}.`, { hint: "Write the file anew with a safetensors library; it may have been cut off or damaged." });
}

/**
 * Reads the header from the first bytes of a file; the tensors need not be there. Trusts nothing: names are unique,
 * ranges fit dtype and shape, and lie side by side without gap or overlap, in whatever order the header lists them.
 * @throws NexusError DATA_INVALID (or the limits' code) naming the first problem.
 */
export function parseSafetensorsHeader(prefix: Uint8Array, limits: SafetensorsLimits = {}): SafetensorsLayout {
  const refuse = refusal(limits);
  const maxHeaderBytes = limits.maxHeaderBytes ?? DEFAULT_MAX_HEADER_BYTES;
  if (prefix.length < LENGTH_FIELD_BYTES) throw refuse(`has ${prefix.length} bytes, too few for a header`);
  const declared = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_FIELD_BYTES).getBigUint64(0, true);
  if (declared > BigInt(maxHeaderBytes)) throw refuse(`declares a header of ${declared} bytes; at most ${maxHeaderBytes} are read`);
  const headerBytes = LENGTH_FIELD_BYTES + Number(declared);
  if (prefix.length < headerBytes)
    throw refuse(`declares a header of ${declared} bytes but has ${prefix.length - LENGTH_FIELD_BYTES} after the length field`);
  if (prefix[LENGTH_FIELD_BYTES] !== OPENING_BRACE || declared < 2n) throw refuse("has a header that does not begin with {");

  const header = parseJson(prefix.subarray(LENGTH_FIELD_BYTES, headerBytes), refuse);
  const entries = Object.entries(header)
    .filter(([name, value]) => name !== METADATA || !checkMetadata(value, refuse))
    .map(([name, value]) => parseEntry(name, value, headerBytes, refuse))
    .toSorted((a, b) => a.offsetBytes - b.offsetBytes || a.sizeBytes - b.sizeBytes);
  let end = headerBytes;
  for (const { name, offsetBytes, sizeBytes } of entries) {
    if (offsetBytes !== end)
      throw refuse(`has ${offsetBytes < end ? "an overlap" : "a gap"} of ${Math.abs(offsetBytes - end)} bytes before the tensor "${name}"`);
    end += sizeBytes;
  }
  return { headerBytes, sizeBytes: end, entries };
}

/**
 * Reads a whole file. The tensors are views of `bytes` where their alignment allows, else copies.
 * @throws NexusError DATA_INVALID (or the limits' code) naming the first problem.
 */
export function decodeSafetensors(bytes: Uint8Array, limits: SafetensorsLimits = {}): Map<string, StoredTensor> {
  const layout = parseSafetensorsHeader(bytes, limits);
  if (bytes.length !== layout.sizeBytes) throw refusal(limits)(`has ${bytes.length} bytes, its header accounts for ${layout.sizeBytes}`);
  return new Map(layout.entries.map((entry) => [entry.name, viewTensor(bytes, entry)]));
}

/**
 * Reads a model file: every tensor must be F32.
 * @throws NexusError DATA_INVALID (or the limits' code), also for another dtype.
 */
export function decodeParameters(bytes: Uint8Array, limits: SafetensorsLimits = {}): ParameterSet {
  const parameters = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, tensor] of decodeSafetensors(bytes, limits)) {
    if (tensor.dtype !== "F32") throw refusal(limits)(`holds the tensor "${name}" as ${tensor.dtype}; parameters are F32`);
    parameters.set(name, { shape: tensor.shape, data: tensor.data });
  }
  return parameters;
}

function viewTensor(bytes: Uint8Array, { dtype, shape, offsetBytes, sizeBytes, length }: SafetensorsEntry): StoredTensor {
  const aligned = (bytes.byteOffset + offsetBytes) % DTYPE_BYTES[dtype] === 0;
  const source = aligned ? bytes.subarray(offsetBytes, offsetBytes + sizeBytes) : bytes.slice(offsetBytes, offsetBytes + sizeBytes);
  const data = new ARRAYS[dtype](source.buffer, source.byteOffset, length);
  return { dtype, shape, data } as StoredTensor;
}

function parseJson(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(`has a header that is not JSON in UTF-8 (${error instanceof Error ? error.message : String(error)})`);
  }
  if (!isRecord(value)) throw refuse("has a header that is not a JSON object");
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw refuse(`names ${JSON.stringify(repeated)} twice in its header`);
  return value;
}

/** JSON.parse keeps the last of equal keys, so an alias would go unseen. The text is known to be valid JSON. */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  let lastString = "";
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (character === "{" || character === "[") open.push(new Set());
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const begin = at;
      at += 1;
      while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
      lastString = json.slice(begin, at + 1);
    } else if (character === ":") {
      const key: unknown = JSON.parse(lastString);
      const keys = open.at(-1);
      if (typeof key !== "string" || keys === undefined) continue;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function checkMetadata(value: unknown, refuse: Refuse): true {
  if (!isRecord(value) || !Object.values(value).every((text) => typeof text === "string"))
    throw refuse(`has ${METADATA} that does not map text to text`);
  return true;
}

function parseEntry(name: string, value: unknown, headerBytes: number, refuse: Refuse): SafetensorsEntry {
  if (!isRecord(value)) throw refuse(`describes the tensor "${name}" by something that is not an object`);
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const [unknownKey] = Object.keys(rest);
  if (unknownKey !== undefined) throw refuse(`has the unknown key "${unknownKey}" in the description of the tensor "${name}"`);
  if (!isDtype(dtype)) throw refuse(`holds the tensor "${name}" as ${JSON.stringify(dtype)}; supported are ${Object.keys(DTYPE_BYTES).join(", ")}`);
  if (!isSizes(shape)) throw refuse(`gives the tensor "${name}" a shape that is not a list of whole numbers`);
  if (!isSizes(offsets) || offsets.length !== 2) throw refuse(`gives the tensor "${name}" data_offsets that are not two whole numbers`);
  const [begin, end] = offsets as [number, number];
  const length = boundedProduct(shape);
  const sizeBytes = length === undefined ? undefined : length * DTYPE_BYTES[dtype];
  if (length === undefined || sizeBytes === undefined || end - begin !== sizeBytes) {
    throw refuse(
      `gives the tensor "${name}" ${end - begin} bytes, its shape [${shape.join(", ")}] of ${dtype} needs ${sizeBytes ?? "more than can be counted"}`,
    );
  }
  return { name, dtype, shape, length, offsetBytes: headerBytes + begin, sizeBytes };
}

/** The product of sizes as long as it is exact; a zero anywhere makes it zero. */
function boundedProduct(sizes: readonly number[]): number | undefined {
  if (sizes.includes(0)) return 0;
  let product = 1;
  for (const size of sizes) {
    product *= size;
    if (product > Number.MAX_SAFE_INTEGER / 8) return undefined;
  }
  return product;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item: unknown) => typeof item === "number" && Number.isSafeInteger(item) && item >= 0);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(DTYPE_BYTES, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
