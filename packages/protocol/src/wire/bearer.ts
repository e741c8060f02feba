import { type ContextValues, createContextKey, createContextValues, type HandlerContext } from "@connectrpc/connect";

/** The bearer token that a call came with, or undefined. Nothing has checked it yet. */
export function callerToken(context: Pick<HandlerContext, "requestHeader">): string | undefined {
  return bearerToken(context.requestHeader.get("authorization") ?? undefined);
}

/** Reads an `authorization` header (RFC 6750 §2.1); undefined when it holds no bearer token. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? "")?.[1];
}

/** Stands for the address of callers in the same process. */
const NO_ADDRESS = "in-process";

const peerAddress = createContextKey(NO_ADDRESS, { description: "address that the call came from" });

/** What a server hands its calls: the address that their connection came from. */
export function peerValues(address: string | undefined): ContextValues {
  return createContextValues().set(peerAddress, address ?? NO_ADDRESS);
}

/** The address that a call came from, `in-process` without a socket. A proxy in between shows its own. */
export function callerAddress(context: Pick<HandlerContext, "values">): string {
  return context.values.get(peerAddress);
}
