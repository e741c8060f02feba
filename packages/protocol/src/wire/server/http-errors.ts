import { ERROR_CATALOGUE, type NexusError, type RpcStatus } from "@ciphernx/core/errors";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import { jsonOf, retryAfter, toConnectError } from "../error-detail.ts";

/** HTTP status of an RPC status, as Connect has them, with the more telling ones where plain HTTP knows better. */
const HTTP_OF_STATUS: Readonly<Record<RpcStatus, number>> = {
  aborted: 409,
  already_exists: 409,
  canceled: 499,
  data_loss: 422,
  deadline_exceeded: 504,
  failed_precondition: 409,
  internal: 500,
  invalid_argument: 400,
  not_found: 404,
  out_of_range: 400,
  permission_denied: 403,
  resource_exhausted: 507,
  unauthenticated: 401,
  unavailable: 503,
};

/** Tells a sender where the part of its upload ends that is here. */
function uploadOffset({ code, details }: NexusError): Readonly<Record<string, string>> {
  const { keptBytes } = details;
  return code === "UPLOAD_OFFSET_MISMATCH" && typeof keptBytes === "number" ? { "upload-offset": String(keptBytes) } : {};
}

/** Tells which methods there are (RFC 9110 §10.2.1). */
function allowed({ details }: NexusError): Readonly<Record<string, string>> {
  return typeof details["allow"] === "string" ? { allow: details["allow"] } : {};
}

/**
 * The HTTP answer to an error: status, headers of its own, and JSON `{error: {code, message, hint, details}}`. Beside it stand the members of
 * an error of the Connect protocol: whoever made an RPC that was refused before its handler (by the port, the origin, a limit) reads those.
 * Source: connectrpc.com/docs/protocol, "Error end-stream" and unary errors.
 */
export function httpAnswer(error: NexusError): {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const { code, message, hint, details } = error;
  return {
    // Too many requests (RFC 6585 §4), where the RPC status knows only that something is used up.
    status: code === "RATE_LIMITED" ? 429 : HTTP_OF_STATUS[ERROR_CATALOGUE[code].rpc],
    headers: { ...retryAfter(error), ...uploadOffset(error), ...allowed(error) },
    body: `${JSON.stringify({ ...errorToJson(toConnectError(error), undefined), error: { code, message, hint, details: jsonOf(details) } })}\n`,
  };
}
