/**
 * Requests that their senders sign, on the server's side: whose signature it is, before anything is done for them, and that the body is the
 * one that was signed, before anything is done with it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import { NexusError } from "@ciphernx/core/errors";
import type { Fields } from "../exchange.ts";
import { digestField } from "../signatures/content-digest.ts";
import { claimsSignature } from "../signatures/request-signature.ts";
import type { SignedHead } from "../signatures/signature-base.ts";

/** A request as it came. */
export interface SignedRequest extends SignedHead {
  readonly isTls: boolean;
}

/**
 * Verifies a signature that a request shows, and uses it up. Resolves with the id of the node that made it.
 * @throws NexusError SIGNATURE_INVALID, CLOCK_DIFFERS, REQUEST_REPLAYED, SIGNED_TOO_OFTEN; of the node
 */
export type CheckSignature = (request: SignedRequest) => Promise<string>;

/** Whose signature a call came with. */
export const signerKey = createContextKey<string | undefined>(undefined, { description: "node that signed the call" });

/** The node that signed a call; undefined for one without a signature. */
export function callerSigner(context: Pick<HandlerContext, "values">): string | undefined {
  return context.values.get(signerKey);
}

/** Whose signature a request shows; undefined when it shows none. */
export async function signerOf(
  check: CheckSignature | undefined,
  request: Omit<SignedRequest, "authority"> & { readonly authority: string | undefined },
) {
  if (check === undefined || !claimsSignature(request.headers)) return undefined;
  return check({ ...request, authority: normalAuthority(request.authority, request.isTls) });
}

/**
 * Passes a signed request's body on. What was received is compared at its end, and fails there when it is not what was signed: use nothing of it
 * before the iteration has ended well.
 * @throws NexusError SIGNATURE_INVALID
 */
export async function* signedBody(body: AsyncIterable<Uint8Array>, headers: Fields): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
  if (digestField(hash.digest()) === headers["content-digest"]) return;
  throw new NexusError("SIGNATURE_INVALID", "The body of the request is not the one that was signed.");
}

/** In lower case and without the scheme's own port (RFC 9421 §2.2.3); the server has seen before that it names a host. */
function normalAuthority(authority: string | undefined, isTls: boolean): string {
  return URL.parse(`${isTls ? "https" : "http"}://${authority ?? ""}`)?.host ?? "";
}
