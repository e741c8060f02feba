/**
 * A request and its answer, as blobs are moved over: what an HTTP connection and a WebSocket have in common.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import type { SignedContent } from "./signatures/content-digest.ts";
import { isJsonObject, nexusErrorOf } from "./error-detail.ts";

const MAX_ERROR_BODY_BYTES = 64 * 1024;

/** Header fields by their lower-case names. */
export type Fields = Readonly<Record<string, string | undefined>>;

/** What is asked for. */
export interface ExchangeRequest {
  readonly method: "GET" | "HEAD" | "PUT" | "POST";
  /** From the origin on, with the query. */
  readonly path: string;
  readonly headers: Fields;
  readonly signal: AbortSignal;
  /** The whole body, or its hash: wanted where requests are signed; undefined for a method without one. */
  readonly content?: SignedContent | undefined;
}

/** The beginning of an answer, and its body, to be iterated once. */
export interface ExchangeAnswer {
  readonly status: number;
  readonly headers: Fields;
  readonly body: AsyncIterable<Uint8Array>;
  /** Reads what is left of the body, if anything, into the void. */
  discard(): void;
}

/** A request under way. */
export interface Exchange {
  /** Rejects when the connection breaks or stalls before the answer has begun. */
  readonly answer: Promise<ExchangeAnswer>;
  /** Whether nothing more can be sent. */
  readonly destroyed: boolean;
  /** Resolves when the body may go, or when an answer has come that makes it needless (false). */
  mayContinue(): Promise<boolean>;
  /** Sends a piece of the body; resolves when the next may come, or nothing can be sent any more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the request, with the rest of its body. */
  end(bytes?: Uint8Array): void;
  /** Gives it up. */
  destroy(error?: Error): void;
}

/** Begins a request to the coordinator with the caller's token; the signal ends it, and so does a stall. */
export type OpenExchange = (request: ExchangeRequest) => Exchange;

/** The error that a refusing answer carries as JSON; a plain one when whoever answered is not a coordinator. */
export async function refusal({ status, body }: ExchangeAnswer, origin: string): Promise<NexusError> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ERROR_BODY_BYTES) return foreignAnswer(origin, status);
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return foreignAnswer(origin, status);
  }
  const error = isJsonObject(document) ? document["error"] : undefined;
  if (!isJsonObject(error) || typeof error["code"] !== "string" || typeof error["message"] !== "string") return foreignAnswer(origin, status);
  return nexusErrorOf({ ...error, code: error["code"], message: error["message"] }, "INTERNAL");
}

/** The error for an answer that no coordinator gives. */
export function foreignAnswer(origin: string, status: number): NexusError {
  return new NexusError("COORDINATOR_UNREACHABLE", `What answers at ${origin} is not a coordinator (HTTP status ${status}).`, {
    details: { origin, status },
  });
}
