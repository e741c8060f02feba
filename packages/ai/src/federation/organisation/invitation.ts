import { NexusError } from "@ciphernx/core/errors";
import type { RosterHead } from "@ciphernx/core/roster";
import { nameSchema, sha256Schema } from "@ciphernx/core/spec";
import { exportSigningKey, importSigningKey, type SigningKey } from "@ciphernx/crypto/keys";
import { z } from "zod";

const PREFIX = "noi_";

const contentSchema = z.strictObject({
  project: z.string().min(1).max(64),
  organisation: nameSchema,
  version: z.int().min(1),
  hash: sha256Schema,
});

/** What a newcomer is given: the secret key that the roster expects, and what the inviting organisation saw of the roster. */
export interface Invitation {
  readonly key: SigningKey;
  readonly project: string;
  /** The name that the newcomer will have. */
  readonly organisation: string;
  /** The roster with the invitation in it. */
  readonly head: RosterHead;
}

/** An invitation as one word, to be handed over where the coordinator does not read it. A secret until it is used. */
export async function invitationToken({ key, project, organisation, head }: Invitation): Promise<string> {
  const seed = Buffer.from(await exportSigningKey(key, "seed")).toString("base64url");
  return `${PREFIX}${seed}.${Buffer.from(JSON.stringify({ project, organisation, ...head })).toString("base64url")}`;
}

/** @throws NexusError ROSTER_INVITATION_INVALID when the word is none, or was cut */
export async function readInvitation(token: string): Promise<Invitation> {
  const [, seed, content] = /^noi_([\w-]{43})\.([\w-]{1,1000})$/.exec(token.trim()) ?? [];
  if (seed !== undefined && content !== undefined) {
    try {
      const { project, organisation, version, hash } = contentSchema.parse(JSON.parse(Buffer.from(content, "base64url").toString("utf8")));
      return { key: await importSigningKey(Buffer.from(seed, "base64url")), project, organisation, head: { version, hash } };
    } catch (cause) {
      throw refused(cause);
    }
  }
  throw refused(undefined);
}

function refused(cause: unknown): NexusError {
  return new NexusError("ROSTER_INVITATION_INVALID", "That is no whole invitation: one begins with noi_ and is a single word.", { cause });
}
