/**
 * What every Transport does around the RPC library: sends the token, turns failures into `NexusError`, and ends
 * calls when it is closed.
 *
 * @module
 */
import { Code, ConnectError, type Transport as ConnectTransport } from "@connectrpc/connect";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { fromConnectError } from "./error-detail.ts";
import { proxyError } from "./proxy-errors.ts";
import { tlsError } from "./tls-errors.ts";
import type { TokenSource } from "./transport.ts";

/** What {@link rpcChannel} wraps and needs. */
export interface RpcChannelOptions {
  readonly inner: ConnectTransport;
  readonly token: TokenSource;
  /** Whom the calls go to, for messages. */
  readonly target: string;
  /** Aborted with an `INTERRUPTED` error when the transport is closed. */
  readonly closed: AbortSignal;
}

/** Wraps a library transport into one whose every failure is a `NexusError`. */
export function rpcChannel({ inner, token, target, closed }: RpcChannelOptions): ConnectTransport {
  const withToken = (header: HeadersInit | undefined): Headers => {
    const headers = new Headers(header);
    const bearer = token();
    if (bearer !== undefined && !headers.has("authorization")) headers.set("authorization", `Bearer ${bearer}`);
    return headers;
  };
  return {
    async unary(method, signal, timeoutMs, header, input, contextValues) {
      const call = linkSignals(signal, closed);
      try {
        return await inner.unary(method, call.signal, timeoutMs, withToken(header), input, contextValues);
      } catch (error) {
        throw callError(error, call.signal, target);
      } finally {
        call.unlink();
      }
    },
    async stream(method, signal, timeoutMs, header, input, contextValues) {
      const call = linkSignals(signal, closed);
      try {
        const response = await inner.stream(method, call.signal, timeoutMs, withToken(header), input, contextValues);
        return { ...response, message: messages(response.message, call, target) };
      } catch (error) {
        call.unlink();
        throw callError(error, call.signal, target);
      }
    },
  };
}

async function* messages<T>(inner: AsyncIterable<T>, call: LinkedSignal, target: string): AsyncIterable<T> {
  try {
    yield* inner;
  } catch (error) {
    throw callError(error, call.signal, target);
  } finally {
    call.unlink();
  }
}

/** A signal that follows others until it is unlinked: unlike `AbortSignal.any`, nothing stays attached to a long-lived one. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  unlink(): void;
}

/** Links signals for the time of one call. */
export function linkSignals(...signals: (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const undo: (() => void)[] = [];
  for (const signal of signals) {
    if (signal === undefined) continue;
    const onAbort = () => controller.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    undo.push(() => signal.removeEventListener("abort", onAbort));
  }
  return {
    signal: controller.signal,
    unlink: () => {
      for (const step of undo) step();
    },
  };
}

/** The `NexusError` for a failed call: the caller's own abort first, then what came over the wire, then a broken connection. */
export function callError(error: unknown, signal: AbortSignal, target: string): NexusError {
  if (signal.aborted) return abortError(signal);
  if (error instanceof NexusError) return error;
  const onTheWay = tlsError(error, target) ?? proxyError(error, target);
  if (onTheWay !== undefined) return onTheWay;
  const errno = brokenConnection(error);
  if (errno !== undefined) {
    return new NexusError("COORDINATOR_UNREACHABLE", `The coordinator at ${target} does not answer (${errno}).`, {
      details: { target, errno },
      cause: error,
    });
  }
  if (!(error instanceof ConnectError)) return toNexusError(error);
  if (error.code === Code.DeadlineExceeded && error.details.length === 0) {
    return new NexusError("TIMEOUT", `The coordinator at ${target} did not answer in the time given.`, { details: { target }, cause: error });
  }
  return fromConnectError(error);
}

/** What an aborted signal means: TIMEOUT for `AbortSignal.timeout`, the reason itself when it is a `NexusError`, else INTERRUPTED. */
export function abortError(signal: AbortSignal): NexusError {
  const reason: unknown = signal.reason;
  if (reason instanceof NexusError) return reason;
  if (reason instanceof Error && reason.name === "TimeoutError") {
    return new NexusError("TIMEOUT", "The call did not end in the time given.", { cause: reason });
  }
  return new NexusError("INTERRUPTED", "The call was interrupted.", { cause: reason });
}

const CONNECTION_ERRORS: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ERR_HTTP2_SESSION_ERROR",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ETIMEDOUT",
]);

/** The system's name for a connection that could not be made or broke, found along the causes; undefined for other errors. */
export function brokenConnection(error: unknown): string | undefined {
  const seen = new Set<unknown>();
  for (let current = error; current instanceof Error && !seen.has(current); current = current.cause) {
    seen.add(current);
    if ("code" in current && typeof current.code === "string" && CONNECTION_ERRORS.has(current.code)) return current.code;
    if (current instanceof AggregateError) {
      const errno = brokenConnection(current.errors[0]);
      if (errno !== undefined) return errno;
    }
  }
  return undefined;
}
