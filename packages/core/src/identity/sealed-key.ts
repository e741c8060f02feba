/**
 * A private key at rest: AES-256-GCM (NIST SP 800-38D) under a key that scrypt (RFC 7914) derives from a passphrase, with the
 * parameters that OWASP names for interactive use (N = 2^17, r = 8, p = 1: 128 MiB, a fifth of a second).
 *
 * @module
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { z } from "zod";

const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const base64 = z.base64();

/** As it is written. The parameters are fixed: a file cannot make its reader spend more, or an attacker less. */
export const sealedKeySchema = z.object({
  kdf: z.literal("scrypt-17-8-1"),
  cipher: z.literal("aes-256-gcm"),
  salt: base64,
  iv: base64,
  sealed: base64,
});

/** A private key that a passphrase opens. */
export type SealedKey = z.output<typeof sealedKeySchema>;

/** Seals a text under a passphrase. */
export async function sealKey(pem: string, passphrase: string): Promise<SealedKey> {
  const [salt, iv] = [randomBytes(16), randomBytes(IV_BYTES)];
  const cipher = createCipheriv("aes-256-gcm", await derive(passphrase, salt), iv);
  const sealed = Buffer.concat([cipher.update(pem, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return {
    ...{ kdf: "scrypt-17-8-1", cipher: "aes-256-gcm" },
    ...{ salt: salt.toString("base64"), iv: iv.toString("base64"), sealed: sealed.toString("base64") },
  };
}

/** Opens a sealed text; undefined when the passphrase is another, or the file was changed. */
export async function openSealedKey({ salt, iv, sealed }: SealedKey, passphrase: string): Promise<string | undefined> {
  const bytes = Buffer.from(sealed, "base64");
  const key = await derive(passphrase, Buffer.from(salt, "base64"));
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64"), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
  } catch {
    return undefined; // OpenSSL says no more than that the tag does not fit
  }
}

function derive(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(passphrase.normalize("NFKC"), salt, KEY_BYTES, { ...COST, maxmem: 256 * COST.N * COST.r }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  );
}
