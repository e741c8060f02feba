import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { redactError } from "@ciphernx/core/identity/redact";
import { toConnectError } from "./error-detail.ts";
import type { WireLog } from "./wire-log.ts";

/**
 * Server interceptor: whatever a handler throws leaves as a `NexusError` on the wire. What the program did not expect
 * is logged with its stack and leaves as INTERNAL with a reference to that log line alone.
 *
 * A call whose signal is aborted ends at once with its reason, whether or not its handler heeds it.
 */
export function serverErrors(log: WireLog): Interceptor {
  return (next) => async (request) => {
    const inTrailers = /^application\/grpc(?!-web)/.test(request.header.get("content-type") ?? "");
    const dress = (error: unknown): ConnectError => {
      // The call's own signal: the caller is gone, its deadline has passed, or the server is closing.
      if (request.signal.aborted && request.signal.reason instanceof ConnectError) return request.signal.reason;
      if (error instanceof ConnectError) return error;
      if (request.signal.aborted) return new ConnectError("the caller has gone", Code.Canceled);
      return toConnectError(publicError(error, log, { rpc: `${request.service.typeName}/${request.method.name}` }), { inTrailers });
    };
    try {
      const response = await untilAborted(next(request), request.signal);
      if (!response.stream) return response;
      return { ...response, message: dressed(response.message, dress) };
    } catch (error) {
      throw dress(error);
    }
  };
}

/**
 * What a caller may see of an error: no secret that somebody else showed, or a library put into its message. Unexpected ones are logged under a
 * reference that the caller is given instead.
 */
export function publicError(error: unknown, log: WireLog, fields: object): NexusError {
  const known = toNexusError(error);
  if (known.code !== "INTERNAL") {
    const shown = redactError(known);
    log.debug({ ...fields, code: known.code }, shown.message);
    return shown;
  }
  const reference = Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  log.error({ ...fields, reference, err: error }, `unexpected error ${reference}: ${known.message}`);
  return new NexusError("INTERNAL", `The coordinator met an unexpected error (${reference} in its log).`, { details: { reference } });
}

async function* dressed<T>(messages: AsyncIterable<T>, dress: (error: unknown) => ConnectError): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw dress(error);
  }
}

function untilAborted<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    const over = () => signal.removeEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    call.then(
      (value) => {
        over();
        resolve(value);
      },
      (error: unknown) => {
        over();
        reject(error);
      },
    );
  });
}
