import { STATUS_CODES } from "node:http";
import type { NexusError } from "@ciphernx/core/errors";
import { httpAnswer } from "./http-errors.ts";

/** An error as a whole HTTP/1.1 answer that ends its connection, for where there is no response to write it to. */
export function rawAnswer(error: NexusError, status = httpAnswer(error).status): string {
  const { body } = httpAnswer(error);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}
