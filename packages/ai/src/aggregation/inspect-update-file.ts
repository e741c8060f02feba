import { NexusError } from "@ciphernx/core/errors";
import { parseSafetensorsHeader } from "../tensor/index.ts";
import { COORDINATE_BYTES, COORDINATES, updateFileHeader, type VectorLayout } from "./encoding.ts";

/**
 * Checks that a file is the update that is expected, from its first bytes and its size: the header must be, byte for byte, the
 * canonical one of a vector of this type and length. `prefix` must hold the header (`updateFileHeader(expected).length` bytes;
 * more is welcome, for the message) unless the file is shorter.
 * @returns where the coordinates begin.
 * @throws NexusError UPDATE_REJECTED saying what was expected and what was found.
 */
export function inspectUpdateFile(
  prefix: Uint8Array,
  sizeBytes: number,
  expected: Pick<VectorLayout, "dtype" | "length">,
): { readonly dataOffsetBytes: number } {
  const header = updateFileHeader(expected);
  const wantedBytes = header.length + expected.length * COORDINATE_BYTES[expected.dtype];
  if (header.every((byte, index) => prefix[index] === byte)) {
    if (sizeBytes === wantedBytes) return { dataOffsetBytes: header.length };
    const problem = sizeBytes < wantedBytes ? "is cut off" : "is too long";
    throw reject(`The update's file ${problem}: ${sizeBytes} bytes, expected ${wantedBytes}.`, expected);
  }
  const wanted = describe(COORDINATES, expected.dtype, [expected.length]);
  throw reject(`The update's file is not ${wanted} in ${wantedBytes} bytes: ${found(prefix, sizeBytes, wanted)}.`, expected);
}

function found(prefix: Uint8Array, sizeBytes: number, wanted: string): string {
  try {
    const { entries } = parseSafetensorsHeader(prefix, { subject: "it" });
    const [first] = entries;
    if (entries.length !== 1 || first === undefined) return `it has ${entries.length} tensors in ${sizeBytes} bytes`;
    const what = describe(first.name.slice(0, 64), first.dtype, first.shape);
    return what === wanted ? "its header is spelt another way" : `it has ${what} in ${sizeBytes} bytes`;
  } catch (error) {
    if (error instanceof NexusError) return `${error.message.replace(/\.$/, "")} (${sizeBytes} bytes in all)`;
    throw error;
  }
}

function describe(name: string, dtype: string, shape: readonly number[]): string {
  return `one tensor "${name}" of ${dtype} [${shape.join(", ")}]`;
}

function reject(message: string, expected: Pick<VectorLayout, "dtype" | "length">): NexusError {
  return new NexusError("UPDATE_REJECTED", message, {
    hint: "Use a node of the same version as the coordinator, and a trainer that returns the run's parameters.",
    details: { expectedDtype: expected.dtype, expectedLength: expected.length },
  });
}
