/**
 * Exchanges over one WebSocket (RFC 6455), for clients that a firewall or a browser leaves no other way. Another implementation can be
 * written from this comment and `frame.proto`.
 *
 * - The subprotocol is `ciphernx.wire.v1`; every message is binary, and one `Frame`. Text is answered with close code 1003, what is no
 *   frame or breaks a rule with 1002, what is too much with 1008 or 1009.
 * - The client opens exchanges under increasing numbers, `MAX_EXCHANGES` at a time. The server answers each with `Answer` and its body, in
 *   any order among exchanges. Either side ends its half with `end`; `Cancel` ends both.
 * - Bodies go in pieces of at most `MAX_PIECE_BYTES`, the first of them with `Open` or `Answer` if it is at hand. Each side may send `FIRST_CREDIT_BYTES` (a client) or `WINDOW_BYTES` (the server) of a
 *   body, and then what the other grants with `Credit`, which is never so much that more than `WINDOW_BYTES` are on their way. A server
 *   grants nothing before it knows that it wants a body: this is what `100 Continue` is over HTTP.
 * - The server sends a `Ping` every `PING_INTERVAL_MS`, which is answered with `Pong`. Either side takes a connection over which nothing came for
 *   `SILENCE_MS` for broken.
 *
 * Frames, not WebSocket's own pings, since browsers cannot send or see those.
 *
 * @module
 */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Frame, FrameSchema } from "../../gen/ciphernx/wire/v1/frame_pb.ts";

/** Path of the WebSocket. */
export const WEBSOCKET_PATH = "/wire";
export const SUBPROTOCOL = "ciphernx.wire.v1";

/** Exchanges that a connection may have open. */
export const MAX_EXCHANGES = 64;
/** Largest piece of a body in a frame. */
export const MAX_PIECE_BYTES = 64 * 1024;
/** Largest frame, that of an `Open` with all its headers included. */
export const MAX_FRAME_BYTES = 128 * 1024;
/** What a client may send of a body before the server has granted anything. */
export const FIRST_CREDIT_BYTES = 64 * 1024;
/** What may be on its way of one body. */
export const WINDOW_BYTES = 1024 * 1024;

export const PING_INTERVAL_MS = 20_000;
/** Pings without anything from the other side after which the connection is broken: two were missed, and a quarter of a third. */
export const MISSED_PINGS = 2.25;
export const SILENCE_MS = MISSED_PINGS * PING_INTERVAL_MS;

/** Close codes (RFC 6455 §7.4.1). */
export const CLOSE = { goingAway: 1001, protocolError: 1002, notText: 1003, tooMuch: 1008 } as const;

/** What a frame says. */
export type FrameContent = NonNullable<MessageInitShape<typeof FrameSchema>["content"]>;

export function encodeFrame(exchange: number, content: FrameContent): Uint8Array<ArrayBuffer> {
  return toBinary(FrameSchema, create(FrameSchema, { exchange, content }));
}

/** Undefined when the bytes are no frame of this version. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  try {
    const frame = fromBinary(FrameSchema, bytes);
    return frame.content.case === undefined ? undefined : frame;
  } catch {
    return undefined; // whoever sent it is told by the close code
  }
}
