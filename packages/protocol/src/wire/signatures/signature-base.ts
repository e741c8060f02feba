/**
 * What a signature over a request is made of: the signature base of HTTP Message Signatures (RFC 9421 §2.5), for requests whose components are
 * derived ones (§2.2) or whole header fields with one value (§2.1).
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import type { Fields } from "../exchange.ts";

/** The head of a request, as it is signed. */
export interface SignedHead {
  readonly method: string;
  /** Host, and port where it is not the scheme's own; in lower case (RFC 9421 §2.2.3). */
  readonly authority: string;
  /** Path and query, as they are sent. */
  readonly path: string;
  /** By their lower-case names. */
  readonly headers: Fields;
}

/**
 * The bytes that are signed.
 * @param components identifiers in their order: `@method`, `content-type`, …
 * @param parameters the inner list and its parameters, as `Signature-Input` has them (RFC 9421 §2.3)
 * @throws NexusError SIGNATURE_INVALID for a component that the request does not have
 */
export function signatureBase(head: SignedHead, components: readonly string[], parameters: string): Uint8Array<ArrayBuffer> {
  const lines = components.map((name) => `"${name}": ${componentOf(head, name)}\n`);
  return new TextEncoder().encode(`${lines.join("")}"@signature-params": ${parameters}`);
}

/** The inner list of components (RFC 9421 §2.3). */
export function componentList(components: readonly string[]): string {
  return `(${components.map((name) => `"${name}"`).join(" ")})`;
}

function componentOf({ method, authority, path, headers }: SignedHead, name: string): string {
  const queryAt = path.indexOf("?");
  switch (name) {
    case "@method":
      return method;
    case "@authority":
      return authority;
    case "@path":
      return queryAt === -1 ? path : path.slice(0, queryAt);
    // Without a query: the question mark alone (RFC 9421 §2.2.7).
    case "@query":
      return queryAt === -1 ? "?" : path.slice(queryAt);
    default: {
      const value = headers[name]?.trim();
      if (value === undefined) throw new NexusError("SIGNATURE_INVALID", `The request is signed over "${name}", which it does not have.`);
      return value;
    }
  }
}
