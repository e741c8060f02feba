import { type ContextValues, createContextKey, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { claimsSessionToken } from "./session-cookie.ts";

/** The bearer token that a call came with, else the session of its browser (`session-cookie.ts`), or undefined. Nothing has checked it yet. */
export function callerToken(context: Pick<HandlerContext, "requestHeader" | "values">): string | undefined {
  return bearerToken(context.requestHeader.get("authorization") ?? undefined) ?? context.values.get(sessionKey);
}

/** Reads an `authorization` header (RFC 6750 §2.1); undefined when it holds no bearer token. Sessions come as cookies, and in no other way. */
export function bearerToken(authorization: string | undefined): string | undefined {
  const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? "")?.[1];
  return token === undefined || claimsSessionToken(token) ? undefined : token;
}

/** Stands for the address of callers in the same process. */
const NO_ADDRESS = "in-process";

const peerAddress = createContextKey(NO_ADDRESS, { description: "address that the call came from" });

const sessionKey = createContextKey<string | undefined>(undefined, { description: "session of the browser that calls" });

/** What a server hands its calls: the address that their connection came from, and the session that the browser showed, as a token. */
export function peerValues(address: string | undefined, session?: string): ContextValues {
  return createContextValues()
    .set(peerAddress, address ?? NO_ADDRESS)
    .set(sessionKey, session);
}

/** The address that a call came from, `in-process` without a socket. A proxy in between shows its own. */
export function callerAddress(context: Pick<HandlerContext, "values">): string {
  return context.values.get(peerAddress);
}
