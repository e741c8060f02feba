/**
 * The server's end of a WebSocket: answers exchanges with the same handlers as over HTTP. A peer that breaks the rules of
 * `websocket/frames.ts` is closed upon.
 *
 * @module
 */
import type { UniversalHandlerFn } from "@connectrpc/connect/protocol";
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
import { idleTimer } from "../../websocket/idle-timer.ts";
import { once, wholeBody } from "../../whole-body.ts";
import { answerBlob, isBlobPath } from "../blob-answers.ts";
import { httpAnswer } from "../http-errors.ts";
import type { WireLimits } from "../limits.ts";
import { nothingAt } from "../signed-calls.ts";
import { type CheckSignature, signedBody, signerKey, signerOf } from "../signed-requests.ts";
import type { TlsPeer, WireCall } from "../tls-peer.ts";

/** What a connection is served with. */
export interface FrameService {
  /** By their paths. */
  readonly handlers: ReadonlyMap<string, UniversalHandlerFn>;
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
  readonly heardAt: number;
  /** Ends of the exchanges under way. */
  readonly active: ReadonlySet<Promise<void>>;
}

/** An exchange on this side. */
interface Served {
  readonly incoming: IncomingBody;
  readonly outgoing: OutgoingBody;
  readonly aborted: AbortController;
  moved(): void;
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

  function open({ id, method, path, headers }: Opened, { body, end }: FirstPiece): void {
    if (id <= lastId) return refuse(CLOSE.protocolError, "numbers increase");
    if (exchanges.size >= MAX_EXCHANGES) return refuse(CLOSE.tooMuch, "too many exchanges");
    lastId = id;
    const aborted = new AbortController();
    const cut = (): void => {
      void send(id, { case: "cancel", value: {} });
      drop(id, connectionError("The exchange stalled."));
    };
    // As over HTTP: a message comes at once, a blob moves.
    const incomingIdle = idleTimer(isBlobPath(path) ? limits.stallTimeoutMs : limits.messageTimeoutMs, cut);
    const incoming = incomingBody(FIRST_CREDIT_BYTES, {
      grant: (bytes) => void send(id, { case: "credit", value: { bytes } }),
      abandon: () => {},
    });
    void incoming.done.then(() => incomingIdle.stop());
    const outgoing = outgoingBody(WINDOW_BYTES, (body) => send(id, { case: "data", value: { body } }));
    if ((end || body.length > 0) && !incoming.push(body, end)) return refuse(CLOSE.tooMuch, "more than was granted");
    exchanges.set(id, { incoming, outgoing, aborted, moved: () => incomingIdle.touch() });
    const answering = answer(service, { id, method, path, headers }, { incoming, outgoing, aborted, caller, send, interrupt: cut }).finally(() => {
      incomingIdle.stop();
      exchanges.delete(id);
      active.delete(answering);
    });
    active.add(answering);
  }

  /** Ends an exchange on this side; its handler hears of it. */
  function drop(id: number, error: Error): void {
    const served = exchanges.get(id);
    if (served === undefined) return;
    exchanges.delete(id);
    served.outgoing.stop();
    served.incoming.fail(error);
    served.aborted.abort(error);
  }

  function over(): void {
    if (isOver) return;
    isOver = true;
    for (const id of exchanges.keys()) drop(id, connectionError("The peer has gone."));
  }

  return {
    active,
    over,
    get heardAt() {
      return heardAt;
    },
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
      served.moved();
      switch (content.case) {
        case "data":
          if (!served.incoming.push(content.value.body, content.value.end)) refuse(CLOSE.tooMuch, "more than was granted");
          return;
        case "credit":
          if (!served.outgoing.credit(content.value.bytes)) refuse(CLOSE.protocolError, "too much credit");
          return;
        case "cancel":
          return drop(id, connectionError("The peer gave the exchange up."));
        default:
          return refuse(CLOSE.protocolError, "nothing that a client says");
      }
    },
  };
}

interface Answering {
  readonly caller: FrameCaller;
  readonly incoming: IncomingBody;
  readonly outgoing: OutgoingBody;
  readonly aborted: AbortController;
  send(exchange: number, content: FrameContent): Promise<void>;
  interrupt(): void;
}

/** Answers one exchange; never throws. */
async function answer(service: FrameService, opened: Opened, answering: Answering): Promise<void> {
  const { log, limits } = service;
  const { id, method, path } = opened;
  const { outgoing, aborted, send } = answering;
  let begun = false;
  const begin = async (status: number, headers: Readonly<Record<string, string>>, first: Partial<FirstPiece> = {}): Promise<void> => {
    begun = true;
    await send(id, { case: "answer", value: { status, headers, ...first } });
  };
  try {
    const { status, headers, body } = await handle(service, opened, answering);
    if (aborted.signal.aborted) return;
    const fields = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    if (body === undefined) return await begin(status, fields, { end: true });
    if (typeof body === "string") return await begin(status, fields, { body: new TextEncoder().encode(body), end: true });
    if (isUnary(fields)) {
      const whole = await wholeBody(body);
      if (whole.length <= MAX_PIECE_BYTES) return await begin(status, fields, { body: whole, end: true });
      await begin(status, fields);
      await outgoing.write(whole);
      return outgoing.stopped ? undefined : await send(id, { case: "data", value: { end: true } });
    }
    const stall = idleTimer(limits.stallTimeoutMs, () => answering.interrupt());
    try {
      for await (const chunk of body) {
        // Not before the first chunk: a store that cannot read the blob must still be able to say so.
        if (!begun) await begin(status, fields);
        await outgoing.write(chunk);
        if (outgoing.stopped) return;
        stall.touch();
      }
    } finally {
      stall.stop();
    }
    if (!begun) return await begin(status, fields, { end: true });
    await send(id, { case: "data", value: { end: true } });
  } catch (error) {
    if (aborted.signal.aborted) return;
    const known = publicError(error, log, { method, path });
    if (begun) {
      log.warn({ method, path, code: known.code }, `an answer was cut off: ${known.message}`);
      await send(id, { case: "cancel", value: {} });
      return;
    }
    const { status, headers, body } = httpAnswer(known);
    await begin(status, { ...headers, "content-type": "application/json" }, { body: new TextEncoder().encode(body), end: true });
  } finally {
    outgoing.stop();
  }
}

/** Whether an answer is one message of the Connect protocol, which has all been made when its first byte is. */
function isUnary(headers: Readonly<Record<string, string>>): boolean {
  return /^application\/(?:proto|json)$/.test(headers["content-type"] ?? "");
}

interface Handled {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: AsyncIterable<Uint8Array> | string | undefined;
}

async function handle(
  { handlers, blobs, limits, admit, checkSignature, contextValues }: FrameService,
  { method, path, headers }: Opened,
  { incoming, aborted, caller, interrupt }: Answering,
): Promise<Handled> {
  assertModest(path, headers, limits);
  const { address, peer, authority, session } = caller;
  const signedBy = await signerOf(checkSignature, { method, path, headers, authority, isTls: peer !== undefined });
  const body = signedBy === undefined ? incoming : signedBody(incoming, headers);
  if (isBlobPath(path)) {
    admit({ peer, path, token: bearerToken(headers["authorization"]), signedBy });
    return answerBlob(blobs, limits, { method, path, headers, address, session, body, interrupt });
  }
  const handler = handlers.get(path);
  if (handler === undefined) throw nothingAt(path);
  const header = new Headers();
  for (const [name, value] of Object.entries(headers)) header.set(name, value);
  const answered = await handler({
    ...{ httpVersion: "1.1", url: `http://coordinator${path}`, method, header },
    // Read before the handler begins: a call whose body is another one than was signed is refused as any other.
    body: signedBy === undefined ? body : once(await wholeBody(body)),
    signal: aborted.signal,
    contextValues: contextValues(caller).set(signerKey, signedBy),
  });
  return { status: answered.status, headers: Object.fromEntries(answered.header?.entries() ?? []), body: answered.body };
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
