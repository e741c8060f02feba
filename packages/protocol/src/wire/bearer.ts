import type { HandlerContext } from "@connectrpc/connect";

/** The bearer token that a call came with, or undefined. Nothing has checked it yet. */
export function callerToken(context: Pick<HandlerContext, "requestHeader">): string | undefined {
  return bearerToken(context.requestHeader.get("authorization") ?? undefined);
}

/** Reads an `authorization` header (RFC 6750 §2.1); undefined when it holds no bearer token. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? "")?.[1];
}
