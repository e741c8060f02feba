/**
 * The header of an NPY file: magic, version, and a Python dictionary that gives type, order and shape. It is parsed, never
 * evaluated, and whatever numpy itself would not write is refused.
 *
 * Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays", and the manual of `numpy.lib.format` (versions
 * 1.0, 2.0 and 3.0).
 *
 * @module
 */
import { NexusError, plural } from "@ciphernx/core/errors";

/** How values are stored: kind and bytes of one. */
export type NpyType = "b1" | "u1" | "u2" | "u4" | "u8" | "i1" | "i2" | "i4" | "i8" | "f4" | "f8";

export interface NpyHeader {
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** Where the values begin. */
  readonly dataStart: number;
  /** How many bytes the values take. */
  readonly dataBytes: number;
}

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
/** Magic, version, and the length's two or four bytes. */
const PREFIX_BYTES = { 1: 10, 2: 12, 3: 12 } as const;
/** Headers of plain arrays take 128 bytes; numpy itself refuses more than 10,000 unless it is told to trust the file. */
const MAX_HEADER_BYTES = 10_000;
const MAX_DIMENSIONS = 8;
/** What a typed array of any type surely holds. */
const MAX_DATA_BYTES = 2 ** 31 - 1;

const TYPES: ReadonlySet<string> = new Set<NpyType>(["b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"]);

/** The most bytes that a header takes: so many of a file tell all about it. */
export const MAX_NPY_HEADER_BYTES = MAX_HEADER_BYTES + PREFIX_BYTES[2];

/**
 * Reads the header at the beginning of a file.
 * @param head The file's first bytes: `MAX_NPY_HEADER_BYTES`, or all of a shorter one.
 * @throws NexusError DATA_INVALID naming what is wrong or not read: Fortran order, objects, structured types, byte order.
 */
export function parseNpyHeader(head: Uint8Array, source: string): NpyHeader {
  const invalid = (what: string, hint = "Write the array anew with numpy.save."): NexusError =>
    new NexusError("DATA_INVALID", `${source} ${what}.`, { hint, details: { file: source } });
  if (head.length < 10 || MAGIC.some((byte, i) => head[i] !== byte)) throw invalid("is not an NPY file: it does not begin with the format's mark");
  const version = head[6]!;
  if ((version !== 1 && version !== 2 && version !== 3) || head[7] !== 0)
    throw invalid(`has the NPY version ${version}.${head[7]}; 1.0 to 3.0 are read`);
  const prefix = PREFIX_BYTES[version];
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < prefix) throw invalid("ends within its header");
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES) throw invalid(`declares a header of ${length} bytes; at most ${MAX_HEADER_BYTES} are read`);
  if (head.length < prefix + length) throw invalid("ends within its header");
  const text = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(head.subarray(prefix, prefix + length));
  const fields = parseDictionary(text);
  if (fields === undefined) throw invalid("has a header that is no dictionary of descr, fortran_order and shape");
  const type = typeOf(fields.descr, invalid);
  if (fields.fortranOrder && fields.shape.length > 1) {
    throw invalid("is stored in Fortran order (columns first), which is not read", "Save numpy.ascontiguousarray(array).");
  }
  const { shape } = fields;
  if (shape.length > MAX_DIMENSIONS) throw invalid(`has ${plural(shape.length, "dimension")}; up to ${MAX_DIMENSIONS} are read`);
  const dataBytes = shape.reduce((product, size) => product * size, Number(type[1]));
  if (dataBytes > MAX_DATA_BYTES)
    throw invalid(`declares the shape ${shape.join("×")}, more than ${MAX_DATA_BYTES} bytes`, "Split the data into smaller files.");
  return { type, shape, dataStart: prefix + length, dataBytes };
}

interface Fields {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

const ENTRY = /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|\[.*?\]|True|False|\((?:\d+\s*,\s*)*(?:\d+\s*)?\))\s*(,|(?=\}))/y;

/** The three entries of the dictionary, in any order; undefined when it is anything else. */
function parseDictionary(text: string): Fields | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{")) return undefined;
  const found = new Map<string, string>();
  let at = 1;
  for (;;) {
    ENTRY.lastIndex = at;
    const entry = ENTRY.exec(trimmed);
    if (entry === null) break;
    if (found.has(entry[1]!)) return undefined;
    found.set(entry[1]!, entry[2]!);
    at = ENTRY.lastIndex;
  }
  if (trimmed.slice(at).trim() !== "}") return undefined;
  const [descr, order, shape] = [found.get("descr"), found.get("fortran_order"), found.get("shape")];
  if (descr === undefined || (order !== "True" && order !== "False") || shape === undefined || !shape.startsWith("(")) return undefined;
  // In Python a tuple of one has a comma: "(3)" is no shape.
  if (/^\(\d+\s*\)$/.test(shape)) return undefined;
  const sizes = [...shape.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  return sizes.every(Number.isSafeInteger) ? { descr, fortranOrder: order === "True", shape: sizes } : undefined;
}

function typeOf(descr: string, invalid: (what: string, hint?: string) => NexusError): NpyType {
  const hint = "Save array.astype('float32'), or another plain number type.";
  if (descr.startsWith("[")) throw invalid("holds a structured array, which is not read", "Save each field as an array of its own.");
  const [, order = "", name = ""] = /^'([<>|=]?)(.*)'$/.exec(descr) ?? [];
  if (name.startsWith("O")) throw invalid("holds Python objects, which are never unpickled", hint);
  if (!TYPES.has(name)) throw invalid(`holds values of the type ${JSON.stringify(descr.slice(1, 40).replace(/'$/, ""))}, which is not read`, hint);
  if (order === ">" && name[1] !== "1") throw invalid("is stored big-endian, which is not read", "Save array.astype(array.dtype.newbyteorder('<')).");
  return name as NpyType;
}
