import { sign, type SigningKey } from "@ciphernx/crypto/keys";
import { contentDigest, type SignedContent } from "./content-digest.ts";
import { signatureFields, signedParts } from "./request-signature.ts";
import type { SignedHead } from "./signature-base.ts";

const NONCE_BYTES = 16;

/** Signs requests of one node. */
export interface RequestSigner {
  /**
   * The fields to send beside those of the request: digest and signature. Each call signs anew; nobody takes the same one twice.
   * @param content the body; undefined where the method has none
   */
  sign(head: SignedHead, content?: SignedContent): Promise<Readonly<Record<string, string>>>;
}

export interface RequestSignerOptions {
  readonly nodeId: string;
  readonly key: SigningKey;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A signer by the key that the node registered. */
export function requestSigner({ nodeId, key, now = Date.now }: RequestSignerOptions): RequestSigner {
  return {
    async sign(head, content) {
      const digest: Record<string, string> = content === undefined ? {} : { "content-digest": await contentDigest(content) };
      const parameters = { createdUnixSeconds: Math.floor(now() / 1000), nonce: freshNonce(), nodeId };
      const parts = signedParts({ ...head, headers: { ...head.headers, ...digest } }, parameters);
      return { ...digest, ...signatureFields(parts.parameters, await sign(key, parts.base)) };
    },
  };
}

function freshNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
