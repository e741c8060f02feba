import type { z } from "zod";
import { plural } from "../errors/index.ts";

/** What a schema found wrong, before it has a sentence. */
type RawIssue = z.core.$ZodRawIssue;

/** Most characters of a text that a sentence quotes. */
const MAX_QUOTED_CHARACTERS = 60;

/** What a type is called where a value of it is expected. */
const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  bigint: "a whole number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  set: "a list",
  object: "a section",
  record: "a section",
  map: "a section",
  null: "nothing",
  undefined: "nothing",
  void: "nothing",
  never: "nothing",
  date: "a point in time",
  file: "a file",
  nan: "no number",
  nonoptional: "a value",
};

/** What a text of a format is called where one is expected. */
const FORMATS: Readonly<Record<string, string>> = {
  email: "an e-mail address",
  url: "a URL",
  uuid: "a UUID",
  guid: "a GUID",
  datetime: "a date with a time (ISO 8601)",
  date: "a date (ISO 8601)",
  time: "a time (ISO 8601)",
  duration: "a duration (ISO 8601)",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
  cidrv4: "a range of IPv4 addresses",
  cidrv6: "a range of IPv6 addresses",
  base64: "base64",
  base64url: "base64url",
  json_string: "JSON",
  hex: "hexadecimal digits",
  hostname: "a host's name",
};

/** A value in a few words: `the text "al"`, `a list of 3 entries`, `nothing`. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "string") return value === "" ? "an empty text" : `the text ${quote(value)}`;
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${plural(value.length, "entry", "entries")}`;
  if (typeof value === "object") return value instanceof Date ? `the time ${String(value)}` : "a section";
  if (Number.isNaN(value)) return "what is no number";
  return typeof value === "number" || typeof value === "boolean" || typeof value === "bigint" ? String(value) : `a ${typeof value}`;
}

/**
 * The sentence for a mistake whose schema has none of its own: what was found, and what is expected. Every issue of every schema gets
 * one, so that no wording of the schema library reaches a person.
 */
export function describeIssue(issue: RawIssue): string {
  const found = describeValue(issue.input);
  switch (issue.code) {
    case "invalid_type":
      return `Found ${found} where ${describeType(issue)} is expected.`;
    case "too_small":
    case "too_big":
      return describeSize(issue);
    case "invalid_format":
      return `Found ${found} where ${describeFormat(issue)} is expected.`;
    case "not_multiple_of":
      return `Found ${found} where a multiple of ${issue.divisor} is expected.`;
    case "invalid_value":
      return issue.values.length === 1
        ? `Found ${found} where ${JSON.stringify(issue.values[0])} is expected.`
        : `Found ${found}, which is none of the values that are allowed.`;
    case "invalid_union":
      return `Found ${describeValue(kindOf(issue))}, which is none of what is allowed.`;
    case "unrecognized_keys":
      return `Found keys that are not known: ${issue.keys.map(quote).join(", ")}.`;
    case "invalid_key":
      return `This key has no name that is allowed. ${sentence(issue.issues, `Found ${found}.`)}`;
    case "invalid_element":
      return sentence(issue.issues, `Found ${found}, which is not allowed.`);
    default:
      return `Found ${found}, which is not allowed.`;
  }
}

function describeType({ expected, input }: RawIssue & { readonly code: "invalid_type" }): string {
  if (expected === "number" && typeof input === "number" && !Number.isNaN(input)) return "a finite number";
  return TYPES[expected] ?? `a value of the type ${expected}`;
}

/** What decides between the sections of a union: the value of the key that tells them apart, where there is one. */
function kindOf({ input, discriminator }: RawIssue & { readonly code: "invalid_union" }): unknown {
  if (discriminator === undefined || typeof input !== "object" || input === null) return input;
  return Reflect.get(input, discriminator);
}

function describeSize(issue: RawIssue & { readonly code: "too_small" | "too_big" }): string {
  const isSmall = issue.code === "too_small";
  const bound = issue.code === "too_small" ? issue.minimum : issue.maximum;
  const { origin, input, inclusive = true, exact = false } = issue;
  if (origin === "string") {
    const length = typeof input === "string" ? input.length : 0;
    const found = length === 0 ? "an empty text" : `a text of ${plural(length, "character")}`;
    return `Found ${found}; ${limit(plural(Number(bound), "character"))} expected.`;
  }
  if (origin === "array" || origin === "set" || origin === "map") {
    const entries = isSized(input) ? input.size : Array.isArray(input) ? input.length : 0;
    const found = entries === 0 ? "an empty list" : `a list of ${plural(entries, "entry", "entries")}`;
    return `Found ${found}; ${limit(plural(Number(bound), "entry", "entries"))} expected.`;
  }
  return `Found ${describeValue(input)}; ${limit(String(bound))} expected.`;

  function limit(amount: string): string {
    const isOne = Number(bound) === 1 || !/[a-z]/.test(amount);
    const verb = isOne ? "is" : "are";
    if (exact) return `exactly ${amount} ${verb}`;
    if (inclusive) return `${isSmall ? "at least" : "at most"} ${amount} ${verb}`;
    return `${isSmall ? "more than" : "less than"} ${amount} ${verb}`;
  }
}

function isSized(value: unknown): value is ReadonlySet<unknown> | ReadonlyMap<unknown, unknown> {
  return value instanceof Set || value instanceof Map;
}

function describeFormat(issue: RawIssue & { readonly code: "invalid_format" }): string {
  const part = (key: "prefix" | "suffix" | "includes"): string => quote(String(issue[key]));
  switch (issue.format) {
    case "starts_with":
      return `a text that begins with ${part("prefix")}`;
    case "ends_with":
      return `a text that ends with ${part("suffix")}`;
    case "includes":
      return `a text that holds ${part("includes")}`;
    case "regex":
      return `a text of the form ${String(issue.pattern)}`;
    case "lowercase":
      return "a text in lower case";
    case "uppercase":
      return "a text in upper case";
    default:
      return FORMATS[issue.format] ?? `a text of the form ${issue.format}`;
  }
}

/** The sentence of the first of several issues, which had theirs before the one that holds them. */
function sentence(issues: readonly z.core.$ZodIssue[], otherwise: string): string {
  return issues[0]?.message ?? otherwise;
}

function quote(text: string): string {
  return JSON.stringify(text.length <= MAX_QUOTED_CHARACTERS ? text : `${text.slice(0, MAX_QUOTED_CHARACTERS - 1)}…`);
}
