/**
 * Hybrid public key encryption with an authenticated sender: RFC 9180 §5.1.3, single shot, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM
 * (0x0020, 0x0001, 0x0001). The protocol is the library's (@hpke/core); which implementation of the primitives it calls depends on the platform.
 *
 * Assumes gap Diffie-Hellman on Curve25519, HKDF-SHA-256 as a random oracle and AES-128-GCM as an AEAD: 128 bits. What opens was sealed by who knows the sender's
 * secret, or the recipient's: a recipient cannot prove to others what it was sent, and a stolen recipient's secret lets others pretend to be anybody to it (RFC 9180 §9.1.1).
 *
 * @module
 */
import { type AeadInterface, CipherSuite, HkdfSha256, type KdfInterface, type KemInterface } from "@hpke/core";

/** Length of an X25519 public key, of a secret and of what they agree on. */
export const X25519_BYTES = 32;
/** Bytes by which a ciphertext is longer than what was sealed: AES-GCM's tag. */
export const TAG_BYTES = 16;

/** An X25519 pair: the public half as bytes, the secret half as a handle of the platform. */
export interface AgreementKey {
  /** 32 bytes, RFC 7748 §5. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** The platform's own. */
  readonly secret: object;
}

/** X25519 of one platform. */
export interface X25519 {
  /** The pair of a secret of 32 bytes, which may be wiped afterwards. */
  fromSecret(secret: Uint8Array): Promise<AgreementKey>;
  /** RFC 7748 §6.1. Undefined for a public key that is none or of small order: the result would be known to everybody. */
  agree(key: AgreementKey, publicKey: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** What is sealed, and for whom. */
export interface SealOptions {
  /** The recipient's public key. */
  readonly recipient: Uint8Array;
  readonly sender: AgreementKey;
  /** What the keys are used for. */
  readonly info: Uint8Array;
  /** Bound to the ciphertext, not in it. */
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
}

export interface OpenOptions {
  readonly recipient: AgreementKey;
  /** The public key of who has to have sealed it. */
  readonly sender: Uint8Array;
  /** Encapsulated key, 32 bytes. */
  readonly enc: Uint8Array;
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** HPKE in auth mode on one platform. */
export interface AuthHpke extends X25519 {
  /** @throws RangeError for a recipient's key that is none or of small order */
  seal(options: SealOptions): Promise<{ readonly enc: Uint8Array<ArrayBuffer>; readonly ciphertext: Uint8Array<ArrayBuffer> }>;
  /** Undefined for whatever that sender did not seal for that recipient, with that info and AAD. */
  open(options: OpenOptions): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** The primitives that the library calls. */
export interface SuiteParts {
  readonly kem: KemInterface;
  readonly kdf?: KdfInterface;
  readonly aead: AeadInterface;
  readonly x25519: X25519;
  /** The library's form of a pair. */
  pairOf(key: AgreementKey): Promise<CryptoKeyPair>;
}

/** HPKE over a platform's primitives. `ephemeral`: a fixed pair for published vectors; absent elsewhere. */
export function authHpke({ kem, kdf = new HkdfSha256(), aead, x25519, pairOf }: SuiteParts, ephemeral?: AgreementKey): AuthHpke {
  const suite = new CipherSuite({ kem, kdf, aead });
  return {
    ...x25519,
    async seal({ recipient, sender, info, aad, plaintext }) {
      try {
        const recipientPublicKey = await kem.deserializePublicKey(recipient);
        const senderKey = await pairOf(sender);
        const ekm = ephemeral && { ekm: await pairOf(ephemeral) };
        const context = await suite.createSenderContext({ recipientPublicKey, senderKey, info, ...ekm });
        const ciphertext = await context.seal(plaintext, aad);
        return { enc: new Uint8Array(context.enc), ciphertext: new Uint8Array(ciphertext) };
      } catch (cause) {
        throw new RangeError("Nothing can be sealed for a recipient's key that is no X25519 key or of small order.", { cause });
      }
    },
    async open({ recipient, sender, enc, info, aad, ciphertext }) {
      if (enc.length !== X25519_BYTES || sender.length !== X25519_BYTES || ciphertext.length < TAG_BYTES) return undefined;
      try {
        const senderPublicKey = await kem.deserializePublicKey(sender);
        const context = await suite.createRecipientContext({ recipientKey: await pairOf(recipient), senderPublicKey, enc, info });
        return new Uint8Array(await context.open(ciphertext, aad));
      } catch {
        // Whatever it is that does not fit: keys of small order, a changed byte, another sender.
        return undefined;
      }
    },
  };
}
