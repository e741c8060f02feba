import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * JSON with one spelling: object keys sorted by UTF-16 code unit, no white space, absent (`undefined`) members left out,
 * numbers as ECMAScript prints them. The subset of RFC 8785 that our documents need; not-finite numbers are an error.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form.`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  throw new TypeError(`A ${typeof value} has no JSON form.`);
}

/** SHA-256 (hex) of a document's canonical JSON under a domain name, so that a spec never hashes like a plan. */
export function hashDocument(domain: string, value: unknown): string {
  return bytesToHex(sha256(utf8ToBytes(`${domain}\n${canonicalJson(value)}`)));
}
