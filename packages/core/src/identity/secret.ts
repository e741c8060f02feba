import { createHash, timingSafeEqual } from "node:crypto";

/**
 * The form in which a secret token is stored: its SHA-256, in hex.
 *
 * A slow, salted hash (argon2, scrypt) guards secrets that people choose, because those can be guessed one after the other. Tokens here
 * are 192 or 256 bits from the system's random generator: no rate of guessing finds one, no two are alike, and every call pays for the hash.
 */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Compares secrets in constant time, whatever their lengths. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
