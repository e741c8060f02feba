/** Calls by the Connect protocol over exchanges. @module */
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import type { OpenExchange } from "../exchange.ts";

/** What Connect's own client is given in place of HTTP. */
export function exchangeHttpClient(open: OpenExchange): UniversalClientFn {
  return async ({ url, method, header, body, signal }) => {
    const { pathname, search } = new URL(url);
    const exchange = open({
      method: method === "GET" ? "GET" : "POST",
      path: `${pathname}${search}`,
      headers: Object.fromEntries(header.entries()),
      signal: signal ?? new AbortController().signal,
    });
    if (body !== undefined) for await (const piece of body) await exchange.write(piece);
    exchange.end();
    const { status, headers, body: answer } = await exchange.answer;
    const fields = new Headers();
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) fields.set(name, value);
    return { status, header: fields, body: answer, trailer: new Headers() };
  };
}
