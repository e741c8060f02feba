/** Calls by the Connect protocol over HTTP, signed one by one. @module */
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { wholeBody } from "../whole-body.ts";
import type { RequestSigner } from "./request-signer.ts";

/** A client that signs what `inner` sends. A call's message is small, so it is there as a whole before it is sent. */
export function signingHttpClient(inner: UniversalClientFn, signer: RequestSigner): UniversalClientFn {
  return async (request) => {
    const { url, method, header, body } = request;
    const content = await wholeBody(body);
    const { host, pathname, search } = new URL(url);
    const fields = await signer.sign({ method, authority: host, path: `${pathname}${search}`, headers: Object.fromEntries(header) }, content);
    for (const [name, value] of Object.entries(fields)) header.set(name, value);
    return inner({ ...request, header, body: once(content) });
  };
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}
