import { z } from "zod";
import { NexusError, plural } from "../errors/index.ts";
import { describeIssue, describeValue } from "./describe-issue.ts";
import { nearest } from "./nearest.ts";

/** One mistake in a document: where, what, and what was probably meant. */
export interface SpecMistake {
  readonly path: string;
  readonly reason: string;
  readonly remedy: string;
}

interface JsonSchemaNode {
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly items?: JsonSchemaNode;
  readonly anyOf?: readonly JsonSchemaNode[];
  readonly oneOf?: readonly JsonSchemaNode[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** Writes a path as people do: `parties[2].name`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) text += typeof part === "number" ? `[${part}]` : text === "" ? String(part) : `.${String(part)}`;
  return text;
}

/** The alternatives of a schema at a place, narrowed by the document's own `kind` where they have one. */
function alternatives(node: JsonSchemaNode, value: unknown): readonly JsonSchemaNode[] {
  const options = node.anyOf ?? node.oneOf;
  if (options === undefined) return [node];
  const all = options.flatMap((option) => alternatives(option, value));
  const kind = isRecord(value) ? value["kind"] : undefined;
  const matching = all.filter((option) => kind !== undefined && option.properties?.["kind"]?.const === kind);
  return matching.length > 0 ? matching : all;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function schemasAt(root: JsonSchemaNode, document: unknown, path: readonly PropertyKey[]): readonly JsonSchemaNode[] {
  let nodes = alternatives(root, document);
  let value = document;
  for (const part of path) {
    value = isRecord(value) || Array.isArray(value) ? Reflect.get(value, part) : undefined;
    nodes = nodes
      .map((node) => (typeof part === "number" ? node.items : node.properties?.[String(part)]))
      .filter((node) => node !== undefined)
      .flatMap((node) => alternatives(node, value));
  }
  return nodes;
}

function describeUnknownKey(nodes: readonly JsonSchemaNode[], key: string): string {
  const known = nodes.flatMap((node) => Object.keys(node.properties ?? {}));
  const meant = nearest(key, known);
  if (meant !== undefined) return `Did you mean "${meant}"?`;
  return known.length > 0 ? `Known keys here: ${known.join(", ")}.` : "Leave it out.";
}

/** What a schema takes at a place, in words: `"all"`, `a whole number from 1`, `a list`, `a section with the keys …`. */
function describeAllowed(node: JsonSchemaNode): readonly string[] {
  const kind = node.properties?.["kind"]?.const;
  if (node.const !== undefined) return [JSON.stringify(node.const)];
  if (node.enum !== undefined) return node.enum.map((value) => JSON.stringify(value));
  if (kind !== undefined) return [`{ kind: ${JSON.stringify(kind)}, … }`];
  switch (node.type) {
    case "integer":
      return [`a whole number${describeRange(node)}`];
    case "number":
      return [`a number${describeRange(node)}`];
    case "array":
      return [`a list${describeCount(node.minItems, node.maxItems, "entry", "entries")}`];
    case "boolean":
      return ["true", "false"];
    case "object":
      return node.properties === undefined ? ["a section"] : [`a section with the keys ${Object.keys(node.properties).join(", ")}`];
    case "string":
      return [`text${describeCount(node.minLength, node.maxLength, "character", "characters")}`];
    default:
      return [];
  }
}

function describeCount(least: number | undefined, most: number | undefined, one: string, many: string): string {
  if (least !== undefined && most !== undefined)
    return least === most ? ` of ${plural(least, one, many)}` : ` of ${least} to ${plural(most, one, many)}`;
  if (least !== undefined) return ` of at least ${plural(least, one, many)}`;
  return most === undefined ? "" : ` of at most ${plural(most, one, many)}`;
}

function describeRange({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchemaNode): string {
  const low = minimum !== undefined ? ` from ${minimum}` : exclusiveMinimum !== undefined ? ` above ${exclusiveMinimum}` : "";
  // The largest integer that a double holds is no bound that anybody thought of.
  const high =
    maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
      ? ` to ${maximum}`
      : exclusiveMaximum !== undefined
        ? ` below ${exclusiveMaximum}`
        : "";
  return `${low}${high}`;
}

function remedyOfValue(nodes: readonly JsonSchemaNode[], value: unknown): string {
  const allowed = [...new Set(nodes.flatMap(describeAllowed))];
  if (allowed.length === 0) return value === undefined ? "Add it." : "Correct the value.";
  const list = allowed.length === 1 ? allowed[0]! : `${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)!}`;
  if (value === undefined) return `Add it: ${list}.`;
  const words = nodes
    .flatMap((node) => [...(node.enum ?? []), node.const, node.properties?.["kind"]?.const])
    .filter((word) => typeof word === "string");
  const written = isRecord(value) ? value["kind"] : value;
  const meant = typeof written === "string" ? nearest(written, words) : undefined;
  return meant === undefined ? `Allowed: ${list}.` : `Did you mean "${meant}"? Allowed: ${list}.`;
}

/** Every mistake of a document against a schema, each in a sentence of ours; empty when it is well formed. */
export function findMistakes(schema: z.ZodType, document: unknown): readonly SpecMistake[] {
  // A schema's own sentence goes before this one.
  const parsed = schema.safeParse(document, { error: describeIssue, reportInput: false });
  if (parsed.success) return [];
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchemaNode;
  return parsed.error.issues.flatMap(meantOption).flatMap((issue): SpecMistake[] => {
    const path = formatPath(issue.path);
    const nodes = schemasAt(root, document, issue.path);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: formatPath([...issue.path, key]),
        reason: `"${key}" is not a key of ${path === "" ? "this document" : path}.`,
        remedy: describeUnknownKey(nodes, key),
      }));
    }
    const value = valueAt(document, issue.path);
    return [{ path: path === "" ? "(the document)" : path, reason: reasonOf(issue, value), remedy: remedyOf(issue, nodes, value) }];
  });
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, part) => (at === null || typeof at !== "object" ? undefined : Reflect.get(at, part)), document);
}

function reasonOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined && issue.path.length > 0) return "This key is missing.";
  // What the schema itself says of a text's form does not tell which text it was.
  return issue.code === "invalid_format" && !issue.message.startsWith("Found ") ? `Found ${describeValue(value)}. ${issue.message}` : issue.message;
}

function remedyOf({ code }: z.core.$ZodIssue, nodes: readonly JsonSchemaNode[], value: unknown): string {
  // The type is right: what is wrong is the form or a rule, and the reason has told it.
  const isRule = value !== undefined && (code === "custom" || code === "invalid_format" || code === "invalid_key");
  return isRule ? "Correct it." : remedyOfValue(nodes, value);
}

/**
 * The mistakes within the one option of a union that was meant: all others take another type, or another value of the key that tells
 * them apart. Of a union without such an option the mistake is that none was met.
 */
function meantOption(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const isOther = ({ path, code }: z.core.$ZodIssue): boolean =>
    (path.length === 0 && (code === "invalid_type" || code === "invalid_value")) ||
    (path.length === 1 && path[0] === "kind" && (code === "invalid_value" || code === "invalid_union" || code === "invalid_type"));
  const meant = issue.errors.filter((issues) => !issues.some(isOther));
  if (meant.length !== 1) return [issue];
  return meant[0]!.flatMap(meantOption).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

/**
 * Parses a document with a schema (defaults filled in).
 * @throws NexusError SPEC_INVALID that lists every mistake with its path and remedy; `details.mistakes` has them as data.
 */
export function parseDocumentWith<S extends z.ZodType>(schema: S, document: unknown, source = "The spec"): z.output<S> {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const mistakes = findMistakes(schema, document);
  const lines = mistakes.map(({ path, reason, remedy }) => `  ${path}: ${reason} ${remedy}`);
  throw new NexusError("SPEC_INVALID", `${source} is not valid:\n${lines.join("\n")}`, { details: { mistakes } });
}
