/** Calls by the Connect protocol over exchanges. @module */
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import type { OpenExchange } from "../exchange.ts";
import { wholeBody } from "../whole-body.ts";

/** What Connect's own client is given in place of HTTP. @param signs whether a request's whole body is wanted before it begins */
export function exchangeHttpClient(open: OpenExchange, { signs }: { readonly signs: boolean }): UniversalClientFn {
  return async ({ url, method, header, body, signal }) => {
    const { pathname, search } = new URL(url);
    const content = signs ? await wholeBody(body) : undefined;
    const exchange = open({
      method: method === "GET" ? "GET" : "POST",
      path: `${pathname}${search}`,
      headers: Object.fromEntries(header.entries()),
      signal: signal ?? new AbortController().signal,
      content,
    });
    if (content !== undefined) exchange.end(content);
    else {
      if (body !== undefined) for await (const piece of body) await exchange.write(piece);
      exchange.end();
    }
    const { status, headers, body: answer } = await exchange.answer;
    const fields = new Headers();
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) fields.set(name, value);
    return { status, header: fields, body: answer, trailer: new Headers() };
  };
}
