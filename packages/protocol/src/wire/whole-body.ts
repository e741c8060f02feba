/** Bodies of calls as a whole: their messages are small. @module */
import { NexusError } from "@ciphernx/core/errors";
import { MAX_MESSAGE_BYTES } from "./limits.ts";

/** The body of a call, whose messages are small: empty when there is none. @throws NexusError MESSAGE_INVALID beyond the largest message */
export async function wholeBody(body: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of body ?? []) {
    sizeBytes += piece.length;
    if (sizeBytes > MAX_MESSAGE_BYTES) throw new NexusError("MESSAGE_INVALID", `A message has ${MAX_MESSAGE_BYTES} bytes at most.`);
    // The memory of a piece may be used again for the next.
    pieces.push(piece.slice());
  }
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A body that has come as a whole. */
export async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}
