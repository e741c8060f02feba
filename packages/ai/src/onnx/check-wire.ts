import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** What a message may hold, and how a problem becomes an error. */
export interface WireLimits {
  /**
   * Messages, texts and whole numbers altogether, at most. Each becomes an object many times its size in the file; f32 and bytes do not,
   * so they are not counted.
   */
  readonly maxItems: number;
  refuse(problem: string): Error;
}

/**
 * Checks bytes that somebody else wrote against a message's description before they are decoded, in memory that does not grow with them:
 * every known field has the wire type of its description, everything lies within the message around it, and there is not more than may be
 * decoded. The decoder itself takes a field of any wire type for what it expects, and reads on where a message inside another is too long.
 */
export function checkWire(bytes: Uint8Array, description: DescMessage, { maxItems, refuse }: WireLimits): void {
  const reader = new BinaryReader(bytes);
  const fields = new Map<DescMessage, ReadonlyMap<number, DescField>>();
  let items = 0;

  function count(more: number, path: string): void {
    items += more;
    if (items > maxItems) throw refuse(`holds more than ${maxItems} messages, texts and whole numbers at ${path}`);
  }

  function lengthWithin(end: number, path: string): number {
    const length = reader.uint32();
    if (reader.pos + length > end) throw refuse(`declares ${length} bytes at ${path} where ${Math.max(0, end - reader.pos)} are left`);
    return length;
  }

  function checkPacked(scalar: ScalarType, end: number, path: string): void {
    const size = FIXED_BYTES[scalar];
    if (size !== undefined) {
      if ((end - reader.pos) % size !== 0) throw refuse(`has ${end - reader.pos} bytes at ${path}, no whole number of values of ${size} bytes`);
      reader.pos = end;
      return;
    }
    for (; reader.pos < end; count(1, path)) reader.uint64();
    if (reader.pos !== end) throw refuse(`is damaged at ${path}: the last number reaches beyond its list`);
  }

  function checkField(field: DescField, wireType: WireType, end: number, path: string): void {
    const message = messageOf(field);
    const scalar = scalarOf(field);
    const isPacked = field.fieldKind === "list" && wireType === WireType.LengthDelimited && message === undefined && wireTypeOf(scalar) !== wireType;
    if (wireType !== wireTypeOf(scalar) && !isPacked) throw refuse(`has the wire type ${wireType} at ${path}, which is of another kind`);
    if (message !== undefined) {
      count(1, path);
      const length = lengthWithin(end, path);
      checkMessage(message, reader.pos + length, path);
    } else if (isPacked) {
      const length = lengthWithin(end, path);
      checkPacked(scalar!, reader.pos + length, path);
    } else if (wireType === WireType.LengthDelimited) {
      if (scalar === ScalarType.STRING) count(1, path);
      const length = lengthWithin(end, path);
      reader.pos += length;
    } else {
      if (wireType === WireType.Varint) count(1, path);
      reader.skip(wireType);
    }
  }

  function checkMessage(message: DescMessage, end: number, path: string): void {
    let known = fields.get(message);
    if (known === undefined) fields.set(message, (known = new Map(message.fields.map((field) => [field.number, field]))));
    const seen = new Map<number, number>();
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      const field = known.get(number);
      if (field === undefined) {
        reader.skip(wireType, number);
      } else {
        const index = seen.get(number) ?? 0;
        seen.set(number, index + 1);
        const own = field.fieldKind === "list" ? `${field.name}[${index}]` : field.name;
        checkField(field, wireType, end, path === "" ? own : `${path}.${own}`);
      }
      if (reader.pos > end) throw refuse(`has a field that reaches beyond ${path === "" ? "the file" : path}`);
    }
  }

  checkMessage(description, bytes.length, "");
}

const FIXED_BYTES: { readonly [Type in ScalarType]?: number } = {
  [ScalarType.FLOAT]: 4,
  [ScalarType.DOUBLE]: 8,
  [ScalarType.FIXED32]: 4,
  [ScalarType.SFIXED32]: 4,
  [ScalarType.FIXED64]: 8,
  [ScalarType.SFIXED64]: 8,
};

function messageOf(field: DescField): DescMessage | undefined {
  if (field.fieldKind === "message") return field.message;
  return field.fieldKind === "list" && field.listKind === "message" ? field.message : undefined;
}

/** The type of a field's values, INT32 for an enumeration; undefined for a message. */
function scalarOf(field: DescField): ScalarType | undefined {
  if (field.fieldKind === "enum" || (field.fieldKind === "list" && field.listKind === "enum")) return ScalarType.INT32;
  return field.scalar;
}

function wireTypeOf(scalar: ScalarType | undefined): WireType {
  if (scalar === undefined || scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return WireType.LengthDelimited;
  const size = FIXED_BYTES[scalar];
  return size === undefined ? WireType.Varint : size === 4 ? WireType.Bit32 : WireType.Bit64;
}
