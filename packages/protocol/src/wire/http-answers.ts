/** What a coordinator, or somebody else, answers to a blob request. @module */
import type http from "node:http";
import { NexusError } from "@ciphernx/core/errors";
import { isJsonObject, nexusErrorOf } from "./error-detail.ts";

const MAX_ERROR_BODY_BYTES = 64 * 1024;

/** Opens a request to the coordinator with the caller's token; the signal ends it, and so does a stall. */
export type OpenRequest = (method: string, path: string, headers: http.OutgoingHttpHeaders, signal: AbortSignal) => http.ClientRequest;

/** The response to a request, or the error that kept it from coming. */
export function responseOf(request: http.ClientRequest): Promise<http.IncomingMessage> {
  const response = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  // It may be looked at later than it fails.
  response.catch(() => {});
  return response;
}

/** The error that a refusing response carries as JSON; a plain one when whoever answered is not a coordinator. */
export async function refusal(response: http.IncomingMessage, origin: string): Promise<NexusError> {
  const status = response.statusCode ?? 0;
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_ERROR_BODY_BYTES) return foreignAnswer(origin, status);
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return foreignAnswer(origin, status);
  }
  const error = isJsonObject(body) ? body["error"] : undefined;
  if (!isJsonObject(error) || typeof error["code"] !== "string" || typeof error["message"] !== "string") return foreignAnswer(origin, status);
  return nexusErrorOf({ ...error, code: error["code"], message: error["message"] }, "INTERNAL");
}

/** The error for an answer that no coordinator gives. */
export function foreignAnswer(origin: string, status: number): NexusError {
  return new NexusError("COORDINATOR_UNREACHABLE", `What answers at ${origin} is not a coordinator (HTTP status ${status}).`, {
    details: { origin, status },
  });
}
