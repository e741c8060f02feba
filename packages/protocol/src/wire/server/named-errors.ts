/**
 * Names for errors that the RPC library answers with itself, before any handler: a message that is no protobuf is nobody's internal error but
 * the sender's, and a deadline that has passed has a name, too. Of Connect's unary calls, and of gRPC's in their trailers; gRPC-web's stand
 * at the end of a body that is not read here.
 *
 * @module
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalHandlerFn, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { errorFromJson } from "@connectrpc/connect/protocol-connect";
import { findTrailerError, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { NexusError } from "@ciphernx/core/errors";
import { fromConnectError, isJsonObject, toConnectError } from "../error-detail.ts";
import { once, wholeBody } from "../whole-body.ts";
import { httpAnswer } from "./http-errors.ts";

/** How the library begins what it says of bytes that are no message. */
const NO_MESSAGE = "parse binary:";

/** A handler that answers errors by their names. */
export function namingErrors(handler: UniversalHandlerFn): UniversalHandlerFn {
  return async (request) => withName(await handler(request));
}

async function withName(response: UniversalServerResponse): Promise<UniversalServerResponse> {
  const { body: messages, trailer } = response;
  if (messages !== undefined && trailer !== undefined && isGrpc(response)) return { ...response, body: toNamedEnd(messages, trailer) };
  if (response.status < 500 || response.body === undefined) return response;
  const bytes = await wholeBody(response.body);
  const kept = { ...response, body: once(bytes) };
  let error: unknown;
  try {
    error = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return kept; // another protocol's
  }
  if (!isJsonObject(error) || error["details"] !== undefined) return kept;
  const known = errorFromJson(error, undefined, new ConnectError("The call failed.", Code.Internal));
  const { status, headers, body } = httpAnswer(named(known));
  const text = Buffer.from(body);
  const all = { ...headers, "content-type": "application/json", "content-length": String(text.length) };
  return { ...response, status, header: new Headers(all), body: once(text) };
}

function isGrpc({ header }: UniversalServerResponse): boolean {
  return /^application\/grpc(?!-web)/.test(header?.get("content-type") ?? "");
}

/** The trailers are sent when the body has ended. */
async function* toNamedEnd(body: AsyncIterable<Uint8Array>, trailer: Headers): AsyncIterable<Uint8Array> {
  yield* body;
  const error = findTrailerError(trailer);
  if (error?.details.length === 0) setTrailerStatus(trailer, toConnectError(named(error), { inTrailers: true }));
}

function named(error: ConnectError): NexusError {
  const { rawMessage } = error;
  return rawMessage.startsWith(NO_MESSAGE) ? unreadableMessage(rawMessage.slice(NO_MESSAGE.length)) : fromConnectError(error);
}

/** The error for bytes that are no message. */
export function unreadableMessage(why: string, cause?: unknown): NexusError {
  return new NexusError("MESSAGE_INVALID", `The message of the call cannot be read: ${why.trim()}.`, { cause });
}
