/**
 * How a node that shows no client certificate signs its requests: HTTP Message Signatures (RFC 9421) with Ed25519 (§3.3.6), and `Content-Digest`
 * (RFC 9530). Another implementation can be written from this comment and the vectors of RFC 9421 Appendix B.2.6.
 *
 * ```
 * Content-Digest:  sha-256=:<base64>:                 of every PUT and POST, an empty body included
 * Signature-Input: node=(<components>);created=<seconds since 1970>;nonce="<22 characters of base64url>";keyid="<node id>";tag="ciphernx.node.v1"
 * Signature:       node=:<base64 of 64 bytes>:
 * ```
 *
 * The components are `@method`, `@authority`, `@path`, `@query`, and then those of {@link SIGNED_FIELDS} that the request has, all of them and in this order;
 * parameters come in the order above. Whatever else RFC 9421 allows is refused: two parties that agree on one form have nothing to confuse.
 * `@authority` is what the node dialled, which TLS has held the server to, so a signature is worth nothing at another coordinator; the nonce is 128
 * random bits, used once. Over a WebSocket each exchange is signed as the HTTP request that it stands for, `@authority` being that of the WebSocket.
 *
 * Assumed: clocks that differ by less than the server's window. What a signature does not do is keep anything secret: TLS does.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { SIGNATURE_BYTES } from "@ciphernx/crypto/keys";
import type { Fields } from "../exchange.ts";
import { assertDigestField } from "./content-digest.ts";
import { componentList, signatureBase, type SignedHead } from "./signature-base.ts";

/** Fields that are signed where a request has them: whatever changes what it means. */
export const SIGNED_FIELDS = [
  "content-digest",
  "content-type",
  "authorization",
  "range",
  "upload-offset",
  "upload-length",
  "upload-complete",
] as const;

const DERIVED = ["@method", "@authority", "@path", "@query"] as const;
const TAG = "ciphernx.node.v1";
/** Methods whose requests have a body. */
const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT"]);

const INPUT = /^node=(\([^()]{1,500}\));created=(\d{1,11});nonce="([\w-]{22})";keyid="([\w.-]{1,100})";tag="([\w.-]{1,50})"$/;
const SIGNATURE = /^node=:([A-Za-z0-9+/]{86}==):$/;

/** What a signature says of itself. */
export interface SignatureParameters {
  /** When it was made: whole seconds since 1970. */
  readonly createdUnixSeconds: number;
  /** 22 characters of base64url: 128 random bits. */
  readonly nonce: string;
  /** The node whose key made it. */
  readonly nodeId: string;
}

/** A signature as a request shows it. Nobody has verified it yet. */
export interface ShownSignature extends SignatureParameters {
  readonly signature: Uint8Array<ArrayBuffer>;
  /** What it has to be over. */
  readonly base: Uint8Array<ArrayBuffer>;
}

/** Whether a request says of itself that it is signed. */
export function claimsSignature(headers: Fields): boolean {
  return headers["signature-input"] !== undefined || headers["signature"] !== undefined;
}

/** What is signed of a request, and the value of `Signature-Input` that tells it, without its label. */
export function signedParts(head: SignedHead, { createdUnixSeconds, nonce, nodeId }: SignatureParameters) {
  const components = componentsOf(head.headers);
  const parameters = `${componentList(components)};created=${createdUnixSeconds};nonce="${nonce}";keyid="${nodeId}";tag="${TAG}"`;
  return { parameters, base: signatureBase(head, components, parameters) };
}

/** The fields of a signature. */
export function signatureFields(parameters: string, signature: Uint8Array): { readonly "signature-input": string; readonly signature: string } {
  return { "signature-input": `node=${parameters}`, signature: `node=:${btoa(String.fromCharCode(...signature))}:` };
}

/**
 * Reads the signature of a request.
 * @throws NexusError SIGNATURE_INVALID when it has another form, or is over other components than it has to be
 */
export function readSignature(head: SignedHead): ShownSignature {
  const { headers, method } = head;
  const [, covered, created, nonce, nodeId, tag] = INPUT.exec(headers["signature-input"] ?? "") ?? [];
  const encoded = SIGNATURE.exec(headers["signature"] ?? "")?.[1];
  if (covered === undefined || nonce === undefined || nodeId === undefined || tag !== TAG || encoded === undefined) {
    throw new NexusError("SIGNATURE_INVALID", "Signature-Input and Signature do not have the form of a node's signature.");
  }
  const needed = componentsOf(headers);
  if (covered !== componentList(needed)) {
    throw new NexusError("SIGNATURE_INVALID", `The request is signed over ${covered}; it has to be over ${componentList(needed)}.`);
  }
  if (WITH_BODY.has(method)) assertDigestField(headers["content-digest"]);
  const parameters = { createdUnixSeconds: Number(created), nonce, nodeId };
  const signature = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  // The base64 of the form above is that of 64 bytes.
  if (signature.length !== SIGNATURE_BYTES) throw new NexusError("SIGNATURE_INVALID", "A signature has 64 bytes.");
  return { ...parameters, signature, base: signedParts(head, parameters).base };
}

function componentsOf(headers: Fields): readonly string[] {
  return [...DERIVED, ...SIGNED_FIELDS.filter((name) => headers[name] !== undefined)];
}
