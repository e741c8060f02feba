/**
 * Takes secrets out of texts that are written down: log lines and messages of errors. The product never writes a secret on purpose; this
 * is the net below, for what a library puts into its own message and for texts that callers sent. Its list of paths, each attacked by a
 * test, is `apps/coordinator/src/redaction.test.ts`.
 *
 * A subpath of its own: the command line loads it before every command.
 *
 * @module
 */
import { NexusError } from "../errors/index.ts";

const REDACTED = "[redacted]";

/** API tokens, join tokens and the secrets of invitations, of people and of organisations, by their prefixes. */
const PREFIXED = /(?:\b|(?<=%[\da-f]{2}))n(?:[xj]t|xi|oi)_[\w-]{16,}/gi;
/** Sessions of people: the value of the cookie that holds one, and that value as the wire hands it on. */
const SESSION = /(\bnexus_session_\w+=|\bnxs_)[\w.%+/=-]{16,}/g;
/** Whatever stands in an `authorization` header. */
const BEARER = /\b(bearer|basic) +[\w.~+/=-]{8,}/gi;
/** Signed tokens of OpenID providers (RFC 7515 §3.1): a header that begins with `{"`, a body, a signature. */
const SIGNED = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;
/** 32 bytes in base64url: owner tokens, session tokens, the private part of an Ed25519 key as a JWK. Hashes and ids are written in hex and base32. */
const BYTES_32 = /(?:(?<![\w-])|(?<=%[\da-fA-F]{2}))[\w-]{43}(?![\w-])/g;
/** A private key as PEM, its line breaks as they are or as JSON writes them. */
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^"]*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?=")|$)/g;
/** A password in the address of a server; one may hold an @ itself. */
const URL_PASSWORD = /(\b[a-z][a-z+]*:\/\/[^\s:/@"]*):[^\s/"]+@/gi;
/** An Ed25519 private key as PKCS#8 in base64, as key files of ours hold it: it always begins alike (RFC 8410 §7). */
const PKCS8 = /MC4CAQAwBQYDK2VwBCIEI[\w+/=-]{20,}/g;
/** Whatever stands in a cookie header. */
const COOKIE = /\b((?:set-)?cookie"?: ?"?)[^\r\n"]{8,}/gi;
/** Fields whose value is a secret whatever it looks like: of OpenID providers (RFC 6749 §2.3.1, §5.1, RFC 7636 §4.5), of people, of proxies. */
const SECRET_NAME = "(?:client_?secret|(?:access|refresh|id)_?token|code_?verifier|pass(?:word|phrase)|(?:proxy-)?authorization|(?:set-)?cookie)";
/** Such a field and its value: as an option, in a form, in JSON, or as Node shows objects. A sentence has a space behind its colon and no quote. */
const NAMED = new RegExp(`\\b(${SECRET_NAME}\\\\*["']?(?:[=:]|: (?=["']))\\\\*)(?:(["'])[^"'\\\\]{4,}|[^\\s"'\\\\&;]{4,})`, "gi");
const SECRET_FIELD = new RegExp(`^${SECRET_NAME}$`, "i");

/** The text without the secrets that it holds. */
export function redactSecrets(text: string): string {
  return text
    .replace(PEM, REDACTED)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(COOKIE, `$1${REDACTED}`)
    .replace(PKCS8, REDACTED)
    .replace(NAMED, `$1$2${REDACTED}`)
    .replace(PREFIXED, REDACTED)
    .replace(SIGNED, REDACTED)
    .replace(SESSION, `$1${REDACTED}`)
    .replace(BYTES_32, (run) => (looksRandom(run) ? REDACTED : run))
    .replace(URL_PASSWORD, `$1:${REDACTED}@`);
}

/** Plain data without the secrets in its texts, and without the values of fields that are named as secrets are. */
export function redactValue(value: unknown): unknown {
  if (typeof value === "string") return redactSecrets(value);
  if (Array.isArray(value)) return value.map(redactValue);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, typeof field === "string" && SECRET_FIELD.test(name) ? REDACTED : redactValue(field)]),
  );
}

/** JSON without the secrets in its texts; still JSON. What is none, or not whole, is taken as a text. */
export function redactJson(json: string): string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return redactSecrets(json); // a line that was cut off still may hold a secret
  }
  return JSON.stringify(redactValue(value));
}

/** The error as it may be shown to others: without secrets in message, hint and details, and without its cause. */
export function redactError({ code, message, hint, details }: NexusError): NexusError {
  return new NexusError(code, redactSecrets(message), {
    hint: redactSecrets(hint),
    details: redactValue(details) as Readonly<Record<string, unknown>>,
  });
}

/** Random base64url of that length has capitals and small letters all but surely; names and words joined by dashes have no capitals. */
function looksRandom(run: string): boolean {
  return /[a-z]/.test(run) && /[A-Z]/.test(run);
}
