/**
 * Branded, prefixed identifiers. An id is a prefix, an underscore and 20 characters of Crockford base32
 * (100 bits from the system's CSPRNG): safe in URLs, file names and logs. Nothing computed in a run ever
 * depends on an id; random streams and orders derive from the spec's seed and the parties' names.
 *
 * @module
 */

declare const brand: unique symbol;

/** Prefix of each kind of id. */
export const ID_PREFIX = {
  project: "prj",
  organisation: "org",
  node: "node",
  dataset: "ds",
  run: "run",
  task: "task",
  model: "mdl",
  apiToken: "tok",
  user: "usr",
  account: "acc",
  userSession: "ses",
  invitation: "inv",
} as const;

export type IdKind = keyof typeof ID_PREFIX;
export type Id<K extends IdKind = IdKind> = string & { readonly [brand]: K };

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH = 20;

/** A fresh id of a kind, for example `newId("run")` → `run_7h2k…`. */
export function newId<K extends IdKind>(kind: K): Id<K> {
  const bytes = crypto.getRandomValues(new Uint8Array(LENGTH));
  let text = `${ID_PREFIX[kind]}_`;
  for (const byte of bytes) text += ALPHABET[byte & 31];
  return text as Id<K>;
}

/** Whether a string has the form of an id of that kind. */
export function isId<K extends IdKind>(kind: K, text: string): text is Id<K> {
  const prefix = `${ID_PREFIX[kind]}_`;
  return text.startsWith(prefix) && /^[0-9a-hjkmnp-tv-z]{20}$/.test(text.slice(prefix.length));
}
