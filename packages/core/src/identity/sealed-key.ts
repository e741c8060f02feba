/**
 * A private key at rest: AES-256-GCM (NIST SP 800-38D) under a key that scrypt (RFC 7914) derives from a passphrase, with the
 * parameters that OWASP names for interactive use (N = 2^17, r = 8, p = 1: 128 MiB, a fifth of a second). Where a program keeps 32
 * random bytes instead, there is nothing to guess and nothing to stretch: HKDF (RFC 5869) with SHA-256 derives the key from them.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, hkdf, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { z } from "zod";

const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
/** Says what the key is for, as RFC 5869 §3.2 asks. */
const HKDF_INFO = "ciphernx.sealed-key.v1";
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const base64 = z.base64();

/**
 * As it is written. The parameters are fixed, and which of the two derivations it is goes by the secret, not by the file: a file cannot
 * make its reader spend more, or an attacker less.
 */
export const sealedKeySchema = z.object({
  kdf: z.enum(["scrypt-17-8-1", "hkdf-sha256"]),
  cipher: z.literal("aes-256-gcm"),
  salt: base64,
  iv: base64,
  sealed: base64,
});

/** A private key that a secret opens. */
export type SealedKey = z.output<typeof sealedKeySchema>;

/** What opens a key: a passphrase, which may be one that a person made up, or 32 bytes from a CSPRNG. */
export type SealingSecret = string | Uint8Array;

/** Seals a text. @throws TypeError for bytes that are not 32 */
export async function sealKey(pem: string, secret: SealingSecret): Promise<SealedKey> {
  const [salt, iv] = [randomBytes(16), randomBytes(IV_BYTES)];
  const cipher = createCipheriv("aes-256-gcm", await derive(secret, salt), iv);
  const sealed = Buffer.concat([cipher.update(pem, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return {
    ...{ kdf: kdfOf(secret), cipher: "aes-256-gcm" },
    ...{ salt: salt.toString("base64"), iv: iv.toString("base64"), sealed: sealed.toString("base64") },
  };
}

/** Opens a sealed text; undefined when the secret is another, or the file was changed. @throws TypeError for bytes that are not 32 */
export async function openSealedKey({ kdf, salt, iv, sealed }: SealedKey, secret: SealingSecret): Promise<string | undefined> {
  if (kdf !== kdfOf(secret)) return undefined;
  const bytes = Buffer.from(sealed, "base64");
  const key = await derive(secret, Buffer.from(salt, "base64"));
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64"), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
  } catch {
    return undefined; // OpenSSL says no more than that the tag does not fit
  }
}

function kdfOf(secret: SealingSecret): SealedKey["kdf"] {
  return typeof secret === "string" ? "scrypt-17-8-1" : "hkdf-sha256";
}

async function derive(secret: SealingSecret, salt: Uint8Array): Promise<Uint8Array> {
  if (typeof secret === "string") return stretched(secret, salt);
  if (secret.length !== KEY_BYTES) throw new TypeError(`a sealing secret has ${KEY_BYTES} bytes, not ${secret.length}`);
  return new Uint8Array(await promisify(hkdf)("sha256", secret, salt, HKDF_INFO, KEY_BYTES));
}

function stretched(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(passphrase.normalize("NFKC"), salt, KEY_BYTES, { ...COST, maxmem: 256 * COST.N * COST.r }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  );
}
