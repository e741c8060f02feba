/**
 * The server's end of a WebSocket: answers exchanges with the same handlers as over HTTP. A peer that breaks the rules of
 * `websocket/frames.ts` is closed upon.
 *
 * @module
 */
import type { ContextValues } from "@connectrpc/connect";
import { NexusError } from "@ciphernx/core/errors";
import { bearerToken } from "../../bearer.ts";
import type { BlobEndpoint } from "../../blob-endpoint.ts";
import { publicError } from "../../server-errors.ts";
import type { WireLog } from "../../wire-log.ts";
import { incomingBody, type IncomingBody, outgoingBody, type OutgoingBody } from "../../websocket/body.ts";
import { connectionError, type FrameSocket } from "../../websocket/frame-socket.ts";
import {
  CLOSE,
  decodeFrame,
  encodeFrame,
  FIRST_CREDIT_BYTES,
  type FrameContent,
  MAX_EXCHANGES,
  MAX_PIECE_BYTES,
  WINDOW_BYTES,
} from "../../websocket/frames.ts";
import { type IdleTimer, idleTimer } from "../../websocket/idle-timer.ts";
import { once } from "../../whole-body.ts";
import { answerBlob, isBlobPath } from "../blob-answers.ts";
import { httpAnswer } from "../http-errors.ts";
import type { WireLimits } from "../limits.ts";
import type { MessageCalls } from "../message-calls.ts";
import { nothingAt } from "../signed-calls.ts";
import { type CheckSignature, signedBody, signerKey, signerOf } from "../signed-requests.ts";
import type { TlsPeer, WireCall } from "../tls-peer.ts";

/** What a connection is served with. */
export interface FrameService {
  readonly calls: Pick<MessageCalls, "at">;
  readonly blobs: BlobEndpoint;
  readonly limits: WireLimits;
  readonly log: WireLog;
  readonly admit: (call: WireCall) => void;
  readonly checkSignature: CheckSignature | undefined;
  /** Context of a call from that peer. */
  readonly contextValues: (caller: FrameCaller) => ContextValues;
}

/** Who is at the other end, as the request to become a WebSocket told it: it holds for every exchange. */
export interface FrameCaller {
  readonly address: string | undefined;
  /** Undefined on a plain connection. */
  readonly peer: TlsPeer | undefined;
  /** The host that was dialled. */
  readonly authority: string | undefined;
  /** The session that a browser's page showed, as a token. It is looked up anew for each exchange: one that ended counts for none. */
  readonly session: string | undefined;
}

/** A connection of somebody. */
export interface FramePeer extends FrameCaller {
  readonly socket: FrameSocket;
}

/** A connection that is served. */
export interface ServedFrames {
  receive(bytes: Uint8Array): void;
  /** The socket is gone. */
  over(): void;
  /** Asks whether anybody is there. */
  ping(): void;
  /** When something came last, by `performance.now()`. */
  heardAt(): number;
  /** Ends of the exchanges under way. */
  readonly active: ReadonlySet<Promise<void>>;
}

/** An exchange on this side. Thousands wait for their answers: what one does not need, it does not have. */
interface Served {
  readonly aborting: AbortController;
  /** The rest of its body; undefined when all of it came with the opening. */
  readonly incoming: { readonly body: IncomingBody; readonly idle: IdleTimer } | undefined;
  /** Made for an answer that is longer than a frame. */
  outgoing: OutgoingBody | undefined;
  /** Nobody wants the answer any more. */
  dropped: boolean;
}

interface Opened {
  readonly id: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What of a body comes with its exchange. */
interface FirstPiece {
  readonly body: Uint8Array;
  readonly end: boolean;
}

/** What the exchanges of a connection have in common. */
interface Line {
  readonly caller: FrameCaller;
  send(exchange: number, content: FrameContent): Promise<void>;
  /** Gives an exchange up that has come to a stop. */
  interrupt(exchange: number): void;
}

export function serveFrames(service: FrameService, { socket, ...caller }: FramePeer): ServedFrames {
  const { address } = caller;
  const { limits, log } = service;
  const exchanges = new Map<number, Served>();
  const active = new Set<Promise<void>>();
  let lastId = 0;
  let heardAt = performance.now();
  let isOver = false;

  const refuse = (code: number, reason: string): void => {
    log.debug({ address, reason }, "a WebSocket was closed upon its peer");
    socket.close(code, reason);
    over();
  };
  const send = async (exchange: number, content: FrameContent): Promise<void> => {
    if (!isOver) await socket.send(encodeFrame(exchange, content));
  };

  const line: Line = {
    caller,
    send,
    interrupt(id) {
      void send(id, { case: "cancel", value: {} });
      drop(id, connectionError("The exchange stalled."));
    },
  };

  function open(opened: Opened, first: FirstPiece): void {
    const { id, path } = opened;
    if (id <= lastId) return refuse(CLOSE.protocolError, "numbers increase");
    if (exchanges.size >= MAX_EXCHANGES) return refuse(CLOSE.tooMuch, "too many exchanges");
    if (first.body.length > MAX_PIECE_BYTES) return refuse(CLOSE.tooMuch, "more than was granted");
    lastId = id;
    const incoming = first.end ? undefined : rest(id, path, first);
    const served: Served = { aborting: new AbortController(), incoming, outgoing: undefined, dropped: false };
    exchanges.set(id, served);
    const answering = answer(service, line, opened, served, incoming?.body ?? first.body).then(() => {
      incoming?.idle.stop();
      exchanges.delete(id);
      active.delete(answering);
    });
    active.add(answering);
  }

  /** The body of an exchange that did not come whole with its opening. */
  function rest(id: number, path: string, { body: begun }: FirstPiece): NonNullable<Served["incoming"]> {
    // As over HTTP: a message comes at once, a blob moves.
    const idle = idleTimer(isBlobPath(path) ? limits.stallTimeoutMs : limits.messageTimeoutMs, () => line.interrupt(id));
    const body = incomingBody(FIRST_CREDIT_BYTES, {
      grant: (bytes) => void send(id, { case: "credit", value: { bytes } }),
      abandon: () => {},
    });
    void body.done.then(() => idle.stop());
    body.push(begun, false);
    return { body, idle };
  }

  /** Ends an exchange on this side; its handler hears of it. */
  function drop(id: number, error: Error): void {
    const served = exchanges.get(id);
    if (served === undefined) return;
    exchanges.delete(id);
    served.dropped = true;
    served.outgoing?.stop();
    served.incoming?.body.fail(error);
    served.aborting.abort(error);
  }

  function over(): void {
    if (isOver) return;
    isOver = true;
    for (const id of exchanges.keys()) drop(id, connectionError("The peer has gone."));
  }

  return {
    active,
    over,
    heardAt: () => heardAt,
    ping: () => void send(0, { case: "ping", value: {} }),
    receive(bytes) {
      if (isOver) return;
      heardAt = performance.now();
      const frame = decodeFrame(bytes);
      if (frame === undefined) return refuse(CLOSE.protocolError, "no frame");
      const { exchange: id, content } = frame;
      if (content.case === "pong") return;
      if (content.case === "open") {
        const { end, body, method, path, headers } = content.value;
        return open({ id, method, path, headers }, { body, end });
      }
      const served = exchanges.get(id);
      // What crosses with an answer or a cancellation.
      if (served === undefined) return id === 0 || id > lastId ? refuse(CLOSE.protocolError, "no such exchange") : undefined;
      served.incoming?.idle.touch();
      switch (content.case) {
        case "data":
          if (served.incoming?.body.push(content.value.body, content.value.end) !== true) refuse(CLOSE.tooMuch, "more than was granted");
          return;
        case "credit":
          // Before anything was sent, all of the first window is there.
          if (served.outgoing?.credit(content.value.bytes) !== true) refuse(CLOSE.protocolError, "too much credit");
          return;
        case "cancel":
          return drop(id, connectionError("The peer gave the exchange up."));
        default:
          return refuse(CLOSE.protocolError, "nothing that a client says");
      }
    },
  };
}

/** Answers one exchange; never throws. */
async function answer(service: FrameService, line: Line, opened: Opened, served: Served, body: Uint8Array | IncomingBody): Promise<void> {
  const { log, limits } = service;
  const { id, method, path } = opened;
  const { send } = line;
  let begun = false;
  const begin = async (status: number, headers: Handled["headers"], first: Partial<FirstPiece> = {}): Promise<void> => {
    begun = true;
    const fields = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    await send(id, { case: "answer", value: { status, headers: fields, ...first } });
  };
  const outgoing = (): OutgoingBody =>
    (served.outgoing ??= outgoingBody(WINDOW_BYTES, (piece) => send(id, { case: "data", value: { body: piece } })));
  try {
    const answered = await handle(service, line, opened, served.aborting, body);
    if (served.dropped) return;
    const { status, headers } = answered;
    if (answered.body === undefined) return await begin(status, headers, { end: true });
    if (answered.body instanceof Uint8Array) {
      if (answered.body.length <= MAX_PIECE_BYTES) return await begin(status, headers, { body: answered.body, end: true });
      await begin(status, headers);
      await outgoing().write(answered.body);
    } else {
      const stall = idleTimer(limits.stallTimeoutMs, () => line.interrupt(id));
      try {
        for await (const chunk of answered.body) {
          // Not before the first chunk: a store that cannot read the blob must still be able to say so.
          if (!begun) await begin(status, headers);
          await outgoing().write(chunk);
          if (served.dropped) return;
          stall.touch();
        }
      } finally {
        stall.stop();
      }
      if (!begun) return await begin(status, headers, { end: true });
    }
    if (!served.dropped) await send(id, { case: "data", value: { end: true } });
  } catch (error) {
    if (served.dropped) return;
    const known = publicError(error, log, { method, path });
    if (begun) {
      log.warn({ method, path, code: known.code }, `an answer was cut off: ${known.message}`);
      await send(id, { case: "cancel", value: {} });
      return;
    }
    const { status, headers, body: text } = httpAnswer(known);
    await begin(status, { ...headers, "content-type": "application/json" }, { body: utf8(text), end: true });
  } finally {
    served.outgoing?.stop();
  }
}

interface Handled {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: AsyncIterable<Uint8Array> | Uint8Array | undefined;
}

async function handle(
  { calls, blobs, limits, admit, checkSignature, contextValues }: FrameService,
  { caller, interrupt }: Line,
  { id, method, path, headers }: Opened,
  aborting: AbortController,
  received: Uint8Array | IncomingBody,
): Promise<Handled> {
  assertModest(path, headers, limits);
  const { address, peer, authority, session } = caller;
  const signedBy = await signerOf(checkSignature, { method, path, headers, authority, isTls: peer !== undefined });
  if (isBlobPath(path)) {
    const pieces = received instanceof Uint8Array ? once(received) : received;
    const body = signedBy === undefined ? pieces : signedBody(pieces, headers);
    admit({ peer, path, token: bearerToken(headers["authorization"]), signedBy });
    const answered = await answerBlob(blobs, limits, { method, path, headers, address, session, body, interrupt: () => interrupt(id) });
    return typeof answered.body === "string" ? { ...answered, body: utf8(answered.body) } : { ...answered, body: answered.body };
  }
  const call = calls.at(path);
  if (call === undefined) throw nothingAt(path);
  const body = signedBy === undefined ? received : signedBody(received instanceof Uint8Array ? once(received) : received, headers);
  return call({ method, headers, body, aborting, values: contextValues(caller).set(signerKey, signedBy) });
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** As over HTTP, headers are few and short, and such that HTTP could carry them. */
function assertModest(path: string, headers: Readonly<Record<string, string>>, { maxHeaderBytes }: WireLimits): void {
  let bytes = path.length;
  for (const [name, value] of Object.entries(headers)) {
    bytes += name.length + value.length;
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new NexusError("MESSAGE_INVALID", "A header field of the exchange is none that HTTP has.");
  }
  if (bytes > maxHeaderBytes) throw new NexusError("MESSAGE_INVALID", "The headers are too large.");
}
