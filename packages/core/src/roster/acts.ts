import { z } from "zod";
import { nameSchema, sha256Schema } from "../spec/primitives.ts";

/** An Ed25519 public key, 32 bytes in hex. */
export const publicKeySchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "A public key has 64 lower-case hex digits.")
  .describe("Ed25519 public key in hex");

/** The first entry: the organisation that began the roster of a project. Signed by its key. */
const founded = z.strictObject({ kind: z.literal("founded"), project: z.string().min(1).max(64), organisation: nameSchema, key: publicKeySchema });

/**
 * A member invites an organisation of that name. Signed by the member's key; the secret of the invitation's key is given to the newcomer,
 * past the coordinator.
 */
const invited = z.strictObject({
  kind: z.literal("invited"),
  by: nameSchema,
  organisation: nameSchema,
  invitation: publicKeySchema,
  until: z.iso.datetime(),
});

/** The invited organisation brings its key. Signed by that key and by the invitation's. */
const joined = z.strictObject({ kind: z.literal("joined"), organisation: nameSchema, key: publicKeySchema, invitation: publicKeySchema });

/** An organisation has another key from now on. Signed by the old one and the new one. */
const keyRotated = z.strictObject({ kind: z.literal("key-rotated"), organisation: nameSchema, key: publicKeySchema });

/** A node of an organisation. Signed by the organisation's key. */
const nodeAdded = z.strictObject({ kind: z.literal("node-added"), organisation: nameSchema, node: nameSchema, key: publicKeySchema });

/** A node that no longer speaks for its organisation. Signed by the organisation's key. */
const nodeRemoved = z.strictObject({ kind: z.literal("node-removed"), organisation: nameSchema, node: nameSchema });

/** An organisation that leaves, with its nodes. Signed by its own key, or by the founder's. */
const organisationRemoved = z.strictObject({ kind: z.literal("organisation-removed"), organisation: nameSchema, by: nameSchema });

/** What an entry of a roster says. */
export const rosterActSchema = z.discriminatedUnion("kind", [founded, invited, joined, keyRotated, nodeAdded, nodeRemoved, organisationRemoved]);

/** What an entry of a roster says. */
export type RosterAct = z.output<typeof rosterActSchema>;

/** An entry as it is stored, sent and kept by nodes. */
export const rosterEntrySchema = z.strictObject({
  /** From 1, without gaps. */
  version: z.int().min(1).max(1_000_000),
  /** Hash of the entry before; absent in the first. */
  previous: sha256Schema.optional(),
  at: z.iso.datetime(),
  act: rosterActSchema,
  signatures: z
    .array(z.strictObject({ key: publicKeySchema, signature: z.string().regex(/^[0-9a-f]{128}$/, "A signature has 128 lower-case hex digits.") }))
    .min(1)
    .max(2),
});

/** An entry of a roster. */
export type RosterEntry = z.output<typeof rosterEntrySchema>;
