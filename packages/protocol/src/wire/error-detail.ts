/**
 * `NexusError` over an RPC: the status of the catalogue, the message, and one error detail of type
 * `google.protobuf.Struct`: `{ code, hint, details }`. Any client that knows protobuf's well-known types can
 * read it; one that does not still has status and message.
 *
 * @module
 */
import { fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ERROR_CATALOGUE, type ErrorCode, isErrorCode, NexusError, type RpcStatus } from "@ciphernx/core/errors";

const CODE_OF_STATUS: Readonly<Record<RpcStatus, Code>> = {
  aborted: Code.Aborted,
  already_exists: Code.AlreadyExists,
  canceled: Code.Canceled,
  data_loss: Code.DataLoss,
  deadline_exceeded: Code.DeadlineExceeded,
  failed_precondition: Code.FailedPrecondition,
  internal: Code.Internal,
  invalid_argument: Code.InvalidArgument,
  not_found: Code.NotFound,
  out_of_range: Code.OutOfRange,
  permission_denied: Code.PermissionDenied,
  resource_exhausted: Code.ResourceExhausted,
  unauthenticated: Code.Unauthenticated,
  unavailable: Code.Unavailable,
};

/** The nearest code of our catalogue for a status that came without one: another version, or another program altogether. */
const ERROR_OF_STATUS: Readonly<Record<Code, ErrorCode>> = {
  [Code.Aborted]: "INTERNAL",
  [Code.AlreadyExists]: "INTERNAL",
  [Code.Canceled]: "INTERRUPTED",
  [Code.DataLoss]: "BLOB_CORRUPT",
  [Code.DeadlineExceeded]: "TIMEOUT",
  [Code.FailedPrecondition]: "INTERNAL",
  [Code.Internal]: "INTERNAL",
  [Code.InvalidArgument]: "MESSAGE_INVALID",
  [Code.NotFound]: "MESSAGE_INVALID",
  [Code.OutOfRange]: "MESSAGE_INVALID",
  [Code.PermissionDenied]: "FORBIDDEN",
  [Code.ResourceExhausted]: "MESSAGE_INVALID",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
  [Code.Unavailable]: "COORDINATOR_UNREACHABLE",
  [Code.Unimplemented]: "MESSAGE_INVALID",
  [Code.Unknown]: "INTERNAL",
};

/** gRPC carries errors in HTTP/2 trailers, of which many clients take 8 KiB in all; base64 costs a third. */
const GRPC_DETAIL_BYTES = 4096;
const GRPC_MESSAGE_CHARACTERS = 1024;

/** Dresses an error for the wire. `inTrailers` (gRPC) shortens what would not fit into HTTP/2 trailers. */
export function toConnectError(error: NexusError, { inTrailers = false } = {}): ConnectError {
  let message = error.message;
  let detail: JsonObject = { code: error.code, hint: error.hint, details: jsonOf(error.details) };
  if (inTrailers) {
    if (message.length > GRPC_MESSAGE_CHARACTERS) message = `${message.slice(0, GRPC_MESSAGE_CHARACTERS).toWellFormed()}…`;
    if (JSON.stringify(detail).length > GRPC_DETAIL_BYTES) detail = { code: error.code, hint: error.hint.slice(0, GRPC_MESSAGE_CHARACTERS) };
  }
  return new ConnectError(message, CODE_OF_STATUS[ERROR_CATALOGUE[error.code].rpc], retryAfter(error), [
    { desc: StructSchema, value: fromJson(StructSchema, detail) },
  ]);
}

/** The header that tells when to come back (RFC 9110 §10.2.3), for errors whose details say so. */
export function retryAfter({ details }: NexusError): Readonly<Record<string, string>> {
  const seconds = details["retryAfterSeconds"];
  return typeof seconds === "number" ? { "retry-after": String(seconds) } : {};
}

/**
 * Undresses an error that came over the wire, or that the RPC library raised on this side.
 * A code that this build does not know becomes the nearest one for its status; its name is kept in the details.
 */
export function fromConnectError(error: ConnectError): NexusError {
  for (const struct of error.findDetails(StructSchema)) {
    const detail = toJson(StructSchema, struct);
    if (!isJsonObject(detail) || typeof detail["code"] !== "string") continue;
    return nexusErrorOf({ ...detail, code: detail["code"], message: error.rawMessage }, ERROR_OF_STATUS[error.code], error);
  }
  return new NexusError(ERROR_OF_STATUS[error.code], error.rawMessage, { cause: error });
}

/** A `NexusError` from the parts that a transport carried; `fallback` when the code is not of this build. */
export function nexusErrorOf(
  carried: { readonly code: string; readonly message: string; readonly hint?: unknown; readonly details?: unknown },
  fallback: ErrorCode,
  cause?: unknown,
): NexusError {
  const known = isErrorCode(carried.code);
  const details = isJsonObject(carried.details) ? carried.details : {};
  return new NexusError(known ? carried.code : fallback, carried.message, {
    ...(typeof carried.hint === "string" && { hint: carried.hint }),
    details: known ? details : { ...details, code: carried.code },
    cause,
  });
}

/** Whether a value parsed from JSON is an object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Details as plain JSON; what JSON cannot hold becomes text, so that reporting an error never raises another. */
export function jsonOf(details: Readonly<Record<string, unknown>>): JsonObject {
  const text = JSON.stringify(details, (_key, value: unknown) => {
    if (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))) return String(value);
    return typeof value === "string" ? value.toWellFormed() : value;
  });
  const json: unknown = JSON.parse(text);
  return isJsonObject(json) ? json : {};
}
