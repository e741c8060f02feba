/**
 * Takes secrets out of texts that are written down: log lines and messages of errors. The product never writes a secret on purpose; this
 * is the net below, for what a library puts into its own message and for texts that callers sent.
 *
 * @module
 */

import { NexusError } from "../errors/index.ts";

const REDACTED = "[redacted]";

/** API tokens, join tokens and the secrets of invitations, of people and of organisations, by their prefixes. */
const PREFIXED = /\bn(?:[xj]t|xi|oi)_[\w-]{16,}/g;
/** Sessions of people: the value of the cookie that holds one, and that value as the wire hands it on. */
const SESSION = /(\bnexus_session_\w+=|\bnxs_)[\w.%+/=-]{16,}/g;
/** Whatever stands in an `authorization` header. */
const BEARER = /\b(bearer|basic) +[\w.~+/=-]{8,}/gi;
/** Signed tokens of OpenID providers (RFC 7515 §3.1): a header that begins with `{"`, a body, a signature. */
const SIGNED = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;
/** 32 bytes in base64url: owner tokens, session tokens, the private part of an Ed25519 key as a JWK. Hashes and ids are written in hex and base32. */
const BYTES_32 = /(?<![\w-])[\w-]{43}(?![\w-])/g;
/** A private key as PEM, its line breaks as they are or as JSON writes them. */
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^"]*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?=\\?")|$)/g;
/** A password in the address of a server; one may hold an @ itself. */
const URL_PASSWORD = /(\b[a-z][a-z+]*:\/\/[^\s:/@"]*):[^\s/"]+@/gi;
/** An Ed25519 private key as PKCS#8 in base64, as key files of ours hold it: it always begins alike (RFC 8410 §7). */
const PKCS8 = /MC4CAQAwBQYDK2VwBCIEI[\w+/=-]{20,}/g;
/** Whatever stands in a cookie header. */
const COOKIE = /\b((?:set-)?cookie"?: ?"?)[^\r\n"\\]{8,}/gi;

/** The text without the secrets that it holds. */
export function redactSecrets(text: string): string {
  return text
    .replace(PEM, REDACTED)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(COOKIE, `$1${REDACTED}`)
    .replace(PKCS8, REDACTED)
    .replace(PREFIXED, REDACTED)
    .replace(SIGNED, REDACTED)
    .replace(SESSION, `$1${REDACTED}`)
    .replace(BYTES_32, (run) => (looksRandom(run) ? REDACTED : run))
    .replace(URL_PASSWORD, `$1:${REDACTED}@`);
}

/** The value with every string in it redacted: in arrays and plain objects, at any depth. The same value when none held a secret. */
export function redactValue<T>(value: T): T {
  if (typeof value === "string") return redactSecrets(value) as T;
  if (Array.isArray(value)) {
    const items = value.map(redactValue);
    return items.every((item, index) => Object.is(item, value[index])) ? value : (items as T);
  }
  if (typeof value !== "object" || value === null || ![Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)) return value;
  const members = Object.entries(value).map(([name, member]) => [name, redactValue(member), member] as const);
  if (members.every(([, after, before]) => Object.is(after, before))) return value;
  return Object.fromEntries(members.map(([name, after]) => [name, after])) as T;
}

/** The error without the secrets that its message, hint and details hold; the same one when it holds none. */
export function redactError(error: NexusError): NexusError {
  const [message, hint, details] = [redactSecrets(error.message), redactSecrets(error.hint), redactValue(error.details)];
  if (message === error.message && hint === error.hint && details === error.details) return error;
  const redacted = new NexusError(error.code, message, { hint, details, ...(error.cause === undefined ? {} : { cause: error.cause }) });
  redacted.stack = redactSecrets(error.stack ?? "");
  return redacted;
}

/** Random base64url of that length has capitals and small letters all but surely; names and words joined by dashes have no capitals. */
function looksRandom(run: string): boolean {
  return /[a-z]/.test(run) && /[A-Z]/.test(run);
}
