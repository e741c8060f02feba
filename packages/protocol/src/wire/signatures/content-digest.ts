/** The digest of a request's body: the field `Content-Digest` (RFC 9530 §2) with SHA-256, and no other algorithm. @module */
import { NexusError } from "@ciphernx/core/errors";

const FORM = /^sha-256=:[A-Za-z0-9+/]{43}=:$/;

/** A body that is signed: its bytes, or their SHA-256 in hex where that is known already. */
export type SignedContent = Uint8Array | { readonly sha256: string };

/** The value of `Content-Digest` for a body. */
export async function contentDigest(content: SignedContent): Promise<string> {
  if (!(content instanceof Uint8Array)) return digestField(Uint8Array.from(content.sha256.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
  // WebCrypto takes no shared memory.
  const bytes = content.buffer instanceof ArrayBuffer ? new Uint8Array(content.buffer, content.byteOffset, content.length) : Uint8Array.from(content);
  return digestField(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** The value of `Content-Digest` for a SHA-256 of 32 bytes. */
export function digestField(sha256: Uint8Array): string {
  return `sha-256=:${btoa(String.fromCharCode(...sha256))}:`;
}

/** @throws NexusError SIGNATURE_INVALID when the field is missing or has another form */
export function assertDigestField(value: string | undefined): asserts value is string {
  if (value !== undefined && FORM.test(value)) return;
  throw new NexusError("SIGNATURE_INVALID", "A signed request with a body tells its SHA-256, and nothing else, in Content-Digest.");
}
