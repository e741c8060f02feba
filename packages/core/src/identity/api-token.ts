/**
 * API tokens: bearer tokens (RFC 6750) for programs, each with a role in one project.
 *
 * `nxt_` + 43 characters of base64url (256 random bits) + 8 hex digits of a checksum. The prefix lets scanners of repositories and
 * logs recognise a token that lies where it should not; the checksum lets the coordinator turn a mistyped or cut-off one away without
 * asking its database. The checksum is no secret and proves nothing: whoever can read this file can make one.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";

/** What every API token begins with. */
export const API_TOKEN_PREFIX = "nxt_";

const SECRET_BYTES = 32;
const FORM = /^(nxt_[\w-]{43})([0-9a-f]{8})$/;
const SECONDS_PER_DAY = 86_400;

/** Lifetime of a token that names none: 90 days. */
export const DEFAULT_API_TOKEN_SECONDS = 90 * SECONDS_PER_DAY;
/** Longest lifetime of a token: a year. */
export const MAX_API_TOKEN_SECONDS = 365 * SECONDS_PER_DAY;

/** A fresh token. It is shown once; only its hash is kept. */
export function newApiToken(): string {
  const body = `${API_TOKEN_PREFIX}${randomBytes(SECRET_BYTES).toString("base64url")}`;
  return `${body}${checksum(body)}`;
}

/** Whether a text says of itself that it is an API token; it may still be malformed. */
export function claimsApiToken(text: string): boolean {
  return text.startsWith(API_TOKEN_PREFIX);
}

/** Whether a text has the form of an API token, checksum included. */
export function isApiToken(text: string): boolean {
  const [, body, sum] = FORM.exec(text) ?? [];
  return body !== undefined && checksum(body) === sum;
}

/** The first 32 bits of the SHA-256 of what precedes it. */
function checksum(body: string): string {
  return createHash("sha256").update(body).digest("hex").slice(0, 8);
}

/** What a token is good for at an instant. */
export type ApiTokenState = "valid" | "expired" | "revoked";

/** The state of a token; one that was revoked stays so after it would have expired. */
export function apiTokenState(token: { readonly expiresAt: Date; readonly revokedAt: Date | null }, now: Date): ApiTokenState {
  if (token.revokedAt !== null) return "revoked";
  return token.expiresAt <= now ? "expired" : "valid";
}
