import { NexusError } from "@ciphernx/core/errors";
import { COORDINATE_BYTES, type CoordinateVector, updateFileHeader, type VectorLayout } from "./encoding.ts";

/** A party's vector of coordinates, wherever it lies. */
export interface TileSource {
  /** Whose it is, for messages. */
  readonly name: string;
  /**
   * Reads bytes of the vector; offset 0 is its first coordinate, not the head of its file. They may be put into the memory that is
   * given, which has that length, and be handed back as it, or lie anywhere else.
   */
  read(offsetBytes: number, lengthBytes: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/** A vector in memory. */
export function vectorSource(name: string, vector: CoordinateVector): TileSource {
  return {
    name,
    read: (offsetBytes, lengthBytes) => Promise.resolve(new Uint8Array(vector.buffer, vector.byteOffset + offsetBytes, lengthBytes)),
  };
}

/** The vector of an update's file, whose header `inspectUpdateFile` has checked; `read` reads the file, for example a blob. */
export function updateFileSource(
  name: string,
  layout: Pick<VectorLayout, "dtype" | "length">,
  read: (offsetBytes: number, lengthBytes: number, into?: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>,
): TileSource {
  const headerBytes = updateFileHeader(layout).length;
  return { name, read: (offsetBytes, lengthBytes, into) => read(headerBytes + offsetBytes, lengthBytes, into) };
}

/** Reads coordinates `offset` to `offset + length` of a source into memory of that size. @throws NexusError UPDATE_REJECTED when it ends too early. */
export async function readTile(
  source: TileSource,
  dtype: VectorLayout["dtype"],
  offset: number,
  length: number,
  into: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const width = COORDINATE_BYTES[dtype];
  const bytes = await source.read(offset * width, length * width, into);
  if (bytes.length !== length * width) {
    throw new NexusError(
      "UPDATE_REJECTED",
      `The update of ${source.name} ends too early: ${bytes.length} of ${length * width} bytes at coordinate ${offset}.`,
      { details: { source: source.name, offset } },
    );
  }
  if (bytes.buffer !== into.buffer || bytes.byteOffset !== into.byteOffset) into.set(bytes);
}
