/**
 * The client's end: exchanges over a socket that is opened when it is needed, and anew after it broke. What was under way then fails as
 * over a broken HTTP connection, and whoever asked goes on as they would there.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import type { Exchange, ExchangeAnswer, ExchangeRequest, OpenExchange } from "../exchange.ts";
import type { RequestSigner } from "../signatures/request-signer.ts";
import type { TokenSource } from "../transport.ts";
import { incomingBody, type IncomingBody, outgoingBody, type OutgoingBody } from "./body.ts";
import { connectionError, type FrameSocket, type OpenFrameSocket } from "./frame-socket.ts";
import {
  CLOSE,
  decodeFrame,
  encodeFrame,
  FIRST_CREDIT_BYTES,
  type FrameContent,
  MAX_EXCHANGES,
  MAX_PIECE_BYTES,
  SILENCE_MS,
  WINDOW_BYTES,
} from "./frames.ts";
import { idleTimer } from "./idle-timer.ts";

export interface ClientConnectionOptions {
  readonly open: OpenFrameSocket;
  readonly token: TokenSource;
  readonly signer?: RequestSigner | undefined;
  /** Whom it connects to, for messages. */
  readonly origin: string;
  /** Milliseconds without a frame of it after which a blob's exchange fails with TIMEOUT; calls wait as long as they are told to. */
  readonly stallTimeoutMs: number;
  /** Milliseconds without a frame after which the connection is broken. Default 45,000: the server says something every 20 s. */
  readonly silenceMs?: number | undefined;
}

/** Exchanges over one WebSocket at a time. */
export interface ClientConnection {
  readonly exchange: OpenExchange;
  /** Ends what is under way, and the socket. */
  close(): void;
}

/** An exchange as its connection sees it. */
interface Pending {
  readonly outgoing: OutgoingBody;
  readonly incoming: IncomingBody;
  answered(answer: ExchangeAnswer): void;
  /** Something came. */
  moved(): void;
  failed(error: Error): void;
}

/** A socket with its exchanges. */
interface Live {
  /** Takes up an exchange once there are few enough; undefined when the socket closed meanwhile. */
  take(pending: Pending): Promise<number | undefined>;
  send(exchange: number, content: FrameContent): Promise<void>;
  drop(exchange: number): void;
  close(): void;
}

export function clientConnection({ open, token, signer, origin, stallTimeoutMs, silenceMs = SILENCE_MS }: ClientConnectionOptions): ClientConnection {
  const closing = new AbortController();
  let live: Promise<Live> | undefined;

  async function connect(): Promise<Live> {
    const pending = new Map<number, Pending>();
    /** Exchanges that wait until there are fewer. */
    const queue: (() => void)[] = [];
    let next = 1;
    let isOpen = true;
    const over = (error: Error): void => {
      if (!isOpen) return;
      isOpen = false;
      live = undefined;
      silence.stop();
      for (const one of pending.values()) one.failed(error);
      pending.clear();
      for (const go of queue.splice(0)) go();
    };
    const receive = (bytes: Uint8Array): void => {
      silence.touch();
      const frame = decodeFrame(bytes);
      if (frame === undefined) return socket?.close(CLOSE.protocolError, "no frame");
      const { exchange, content } = frame;
      if (content.case === "ping") return void socket?.send(encodeFrame(0, { case: "pong", value: {} }));
      // An exchange that is over: what crossed with its cancellation.
      const one = pending.get(exchange);
      if (one === undefined) return;
      one.moved();
      const wrong = takeIn(one, content);
      if (wrong !== undefined) socket?.close(CLOSE.protocolError, wrong);
    };
    let socket: FrameSocket | undefined;
    const silence = idleTimer(silenceMs, () => {
      socket?.terminate();
      over(connectionError(`Nothing came from the coordinator at ${origin} for ${silenceMs / 1000} s.`, "ETIMEDOUT"));
    });
    try {
      socket = await open({ message: receive, closed: over }, closing.signal);
    } catch (error) {
      silence.stop();
      live = undefined;
      throw error;
    }
    const opened = socket;
    return {
      async take(one) {
        while (pending.size >= MAX_EXCHANGES) await new Promise<void>((resolve) => queue.push(resolve));
        // Those that waited are let go when it closes, too.
        if (!isOpen) return undefined;
        const id = next++;
        pending.set(id, one);
        return id;
      },
      send: async (exchange, content) => {
        if (pending.has(exchange)) await opened.send(encodeFrame(exchange, content));
      },
      drop(exchange) {
        pending.delete(exchange);
        queue.shift()?.();
      },
      close() {
        opened.close(CLOSE.goingAway, "");
        over(connectionError("The connection was closed."));
      },
    };
  }

  return {
    exchange: (request) => openExchange(request, { live: () => (live ??= connect()), token, signer, origin, stallTimeoutMs }),
    close() {
      closing.abort();
      void live?.then(
        (found) => found.close(),
        () => {}, // it was never opened
      );
    },
  };
}

/** @returns what was wrong with the frame, in words */
function takeIn(
  { incoming, outgoing, answered, failed }: Pending,
  content: NonNullable<ReturnType<typeof decodeFrame>>["content"],
): string | undefined {
  switch (content.case) {
    case "answer": {
      const { status, headers, body, end } = content.value;
      if ((end || body.length > 0) && !incoming.push(body, end)) return "more than was asked for";
      answered({ status, headers, body: incoming, discard: () => void drain(incoming) });
      return undefined;
    }
    case "data":
      return incoming.push(content.value.body, content.value.end) ? undefined : "more than was asked for";
    case "credit":
      return outgoing.credit(content.value.bytes) ? undefined : "too much credit";
    case "cancel":
      failed(connectionError("The coordinator ended the exchange."));
      return undefined;
    default:
      return "nothing that a server says";
  }
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const piece of body) void piece;
  } catch {
    // Nobody wants it.
  }
}

interface Opening extends Pick<ClientConnectionOptions, "token" | "signer" | "origin" | "stallTimeoutMs"> {
  live(): Promise<Live>;
}

function openExchange(
  { method, path, headers, signal, content }: ExchangeRequest,
  { live, token, signer, origin, stallTimeoutMs }: Opening,
): Exchange {
  const bearer = token();
  const answer = Promise.withResolvers<ExchangeAnswer>();
  // It may be looked at later than it fails.
  answer.promise.catch(() => {});
  let place: { readonly on: Live; readonly id: number } | undefined;
  let isOver = false;

  const send = async (content: FrameContent): Promise<void> => place?.on.send(place.id, content);
  const outgoing = outgoingBody(FIRST_CREDIT_BYTES, (body) => send({ case: "data", value: { body } }));
  const incoming = incomingBody(WINDOW_BYTES, {
    grant: (bytes) => void send({ case: "credit", value: { bytes } }),
    abandon: () => give(connectionError("The answer was given up.")),
  });
  // A call waits for its answer as long as it is told to.
  const stall = path.startsWith("/blobs/")
    ? idleTimer(stallTimeoutMs, () =>
        give(new NexusError("TIMEOUT", `The coordinator at ${origin} moved no byte of ${path} for ${stallTimeoutMs / 1000} s.`)),
      )
    : undefined;

  const over = (): void => {
    if (isOver) return;
    isOver = true;
    stall?.stop();
    signal.removeEventListener("abort", onAbort);
    outgoing.stop();
    place?.on.drop(place.id);
  };
  const failed = (error: Error): void => {
    answer.reject(error);
    incoming.fail(error);
    over();
  };
  /** Gives the exchange up, and says so. */
  function give(error: Error): void {
    if (isOver) return;
    void send({ case: "cancel", value: {} });
    failed(error);
  }
  const onAbort = (): void => give(signal.reason instanceof Error ? signal.reason : connectionError("The request was given up."));
  if (signal.aborted) queueMicrotask(onAbort);
  else signal.addEventListener("abort", onAbort, { once: true });
  // All of the answer has come: whatever of the request has not gone is not wanted.
  void incoming.done.then(over);

  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) fields[name] = value;
  if (bearer !== undefined) fields["authorization"] ??= `Bearer ${bearer}`;

  async function begin(first: { readonly body?: Uint8Array; readonly end?: boolean } = {}): Promise<void> {
    // Given up before it was begun: no connection is made for it.
    if (isOver) return;
    try {
      const on = await live();
      // Before it has its number: exchanges begin in the order of those. When there is a line for it: signatures grow old.
      const signed = await signer?.sign({ method, authority: new URL(origin).host, path, headers: fields }, content);
      if (isOver) return;
      const id = await on.take({ outgoing, incoming, answered: answer.resolve, moved: () => stall?.touch(), failed });
      if (id === undefined) throw connectionError("The connection to the coordinator broke.");
      place = { on, id };
      if (isOver) on.drop(id);
      else await send({ case: "open", value: { method, path, headers: { ...fields, ...signed }, ...first } });
    } catch (error) {
      failed(error instanceof Error ? error : connectionError(String(error)));
    }
  }
  let begun: Promise<void> | undefined;
  let sending: Promise<void> = Promise.resolve();
  const inTurn = (action: () => Promise<void>): Promise<void> => (sending = sending.then(action));

  return {
    answer: answer.promise,
    get destroyed() {
      return isOver;
    },
    async mayContinue() {
      await (begun ??= begin());
      return Promise.race([outgoing.granted.then(() => !isOver), answer.promise.then(() => false)]);
    },
    write: (bytes) =>
      inTurn(async () => {
        await (begun ??= begin());
        await outgoing.write(bytes);
        stall?.touch();
      }),
    end: (bytes) =>
      void inTurn(async () => {
        if (begun === undefined && (bytes?.length ?? 0) <= MAX_PIECE_BYTES) return (begun = begin({ ...(bytes && { body: bytes }), end: true }));
        await (begun ??= begin());
        if (bytes !== undefined) await outgoing.write(bytes);
        await send({ case: "data", value: { end: true } });
      }),
    destroy: (error) => give(error ?? connectionError("The request was given up.")),
  };
}
