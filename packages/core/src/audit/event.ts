/**
 * Events of a project's audit log, and how they are linked. Another implementation can be written from this comment; hashes are SHA-256,
 * signatures Ed25519 (RFC 8032).
 *
 * ```
 * event = text "ciphernx.audit.v1/event" ‖ list of            (encoded as `canonicalBytes` of `@ciphernx/crypto/keys` does)
 *     u64 number, text at, text actor, text action, text subject, text details, text previous (empty in the first)
 * hash  = SHA-256(event)
 * head  = text "ciphernx.audit.v1/head" ‖ list of  text project, u64 number, text hash
 * ```
 *
 * `details` is canonical JSON (RFC 8785: keys sorted, no white space), `at` is ISO 8601 in UTC with milliseconds.
 *
 * @module
 */
import { canonicalBytes } from "@ciphernx/crypto/keys";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";
import { canonicalJson } from "../spec/canonical-json.ts";
import { sha256Schema } from "../spec/primitives.ts";

/** Decisions that are kept. */
export const AUDIT_ACTIONS = [
  "node-joined",
  "node-approved",
  "node-removed",
  "certificate-issued",
  "ca-replaced",
  "roster-entry",
  "member-invited",
  "member-joined",
  "member-role",
  "member-removed",
  "invitation-revoked",
  "token-created",
  "token-revoked",
  "run-started",
  "run-refused",
  "run-stopped",
  "run-resumed",
  "model-pulled",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** An event as it is stored, sent and exported. */
export const auditEventSchema = z.strictObject({
  /** From 1, without gaps. */
  number: z.int().min(1),
  at: z.iso.datetime(),
  /** Who decided: `owner`, `token ID`, `node ID`, `organisation NAME`, `coordinator`. Never a secret. */
  actor: z.string(),
  /** What was decided; a word of `AUDIT_ACTIONS`, or of a later version. */
  action: z.string(),
  /** What it is about: the id of a node, a run, a token. */
  subject: z.string(),
  details: z.record(z.string(), z.json()),
  /** Hash of the event before; empty in the first. */
  previous: z.union([sha256Schema, z.literal("")]),
  hash: sha256Schema,
});

/** An event of the audit log. */
export type AuditEvent = z.output<typeof auditEventSchema>;

/** The hash (hex) of an event's content, which the next one names. */
export function auditEventHash({ number, at, actor, action, subject, details, previous }: Omit<AuditEvent, "hash">): string {
  const fields = [BigInt(number), at, actor, action, subject, canonicalJson(details), previous];
  return bytesToHex(sha256(canonicalBytes("ciphernx.audit.v1/event", fields)));
}

/** A state of an audit log: how many events it has, and the hash of the last, which names them all. */
export interface AuditHead {
  readonly number: number;
  readonly hash: string;
}

/** Bytes that the coordinator signs with a head. */
export function auditHeadBytes(project: string, { number, hash }: AuditHead): Uint8Array<ArrayBuffer> {
  return canonicalBytes("ciphernx.audit.v1/head", [project, BigInt(number), hash]);
}
