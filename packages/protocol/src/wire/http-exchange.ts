/** Exchanges over HTTP/1.1. @module */
import http from "node:http";
import https from "node:https";
import { NexusError } from "@ciphernx/core/errors";
import type { Exchange, ExchangeAnswer, ExchangeRequest, OpenExchange } from "./exchange.ts";
import type { RequestSigner } from "./signatures/request-signer.ts";
import type { TokenSource } from "./transport.ts";

/** RFC 9110 §10.1.1: a client that asked does not wait for ever, since old intermediaries never answer. */
const CONTINUE_WAIT_MS = 1_000;

interface HttpExchangeOptions {
  readonly origin: string;
  readonly agent: http.Agent;
  readonly token: TokenSource;
  readonly stallTimeoutMs: number;
  /** Signs each request; undefined where the connection shows who sends it. */
  readonly signer?: RequestSigner | undefined;
}

/** Opens exchanges with a coordinator's HTTP port. */
export function httpExchanges({ origin, agent, token, stallTimeoutMs, signer }: HttpExchangeOptions): OpenExchange {
  return ({ method, path, headers, signal, content }: ExchangeRequest): Exchange => {
    const bearer = token();
    const fields = { ...headers, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) };
    const request = (origin.startsWith("https:") ? https : http).request(`${origin}${path}`, { method, agent, signal, headers: fields });
    /** Nothing leaves before it; what fails ends the request. */
    const signed = signer?.sign({ method, authority: new URL(origin).host, path, headers: fields }, content).then(
      (added) => {
        for (const [name, value] of Object.entries(added)) request.setHeader(name, value);
      },
      (error: unknown) => void request.destroy(error instanceof Error ? error : undefined),
    );
    request.setTimeout(stallTimeoutMs, () =>
      request.destroy(new NexusError("TIMEOUT", `The coordinator at ${origin} moved no byte of ${path} for ${stallTimeoutMs / 1000} s.`)),
    );
    // Whoever awaits the response or the body hears of it; this only keeps a late error from ending the process.
    request.on("error", () => {});
    const answer = answerOf(request);
    return {
      answer,
      get destroyed() {
        return request.destroyed;
      },
      async mayContinue() {
        await signed;
        // Not at once: a request that is made with it sends its headers then.
        request.setHeader("expect", "100-continue");
        return mayContinue(request, answer);
      },
      async write(bytes) {
        await signed;
        if (!request.destroyed && !request.write(bytes)) await drained(request);
      },
      end(bytes) {
        if (signed === undefined) request.end(bytes);
        else void signed.then(() => void request.end(bytes));
      },
      destroy: (error) => void request.destroy(error),
    };
  };
}

/** The answer to a request, or the error that kept it from coming. */
function answerOf(request: http.ClientRequest): Promise<ExchangeAnswer> {
  const answer = new Promise<ExchangeAnswer>((resolve, reject) => {
    request.once("error", reject);
    request.once("response", (response) =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers as ExchangeAnswer["headers"],
        body: response as AsyncIterable<Uint8Array>,
        discard: () => void response.resume(),
      }),
    );
  });
  // It may be looked at later than it fails.
  answer.catch(() => {});
  return answer;
}

/** Whether the body may go: the coordinator said so or is silent for a second, and has not answered already. */
async function mayContinue(request: http.ClientRequest, answer: Promise<unknown>): Promise<boolean> {
  const go = Promise.withResolvers<boolean>();
  request.once("continue", () => go.resolve(true));
  const timer = setTimeout(() => go.resolve(true), CONTINUE_WAIT_MS);
  request.flushHeaders();
  try {
    return await Promise.race([go.promise, answer.then(() => false)]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until the request takes more, or is over. */
function drained(request: http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off("drain", done);
      request.off("close", done);
      resolve();
    };
    request.once("drain", done);
    request.once("close", done);
  });
}
