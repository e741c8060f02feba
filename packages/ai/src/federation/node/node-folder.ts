import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { exportSigningKey, generateSigningKey, importSigningKey, sign } from "@ciphernx/crypto/keys";
import { NodeService } from "@ciphernx/protocol/proto";
import { registrationBytes } from "@ciphernx/protocol/wire";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { createClient } from "@connectrpc/connect";
import { nameSchema, parseDocumentWith } from "@ciphernx/core/spec";
import { z } from "zod";
import type { NodeIdentity } from "./identity.ts";

const IDENTITY_FILE = "node.json";
const KEY_FILE = "node.key";

const identitySchema = z.object({
  formatVersion: z.literal(1),
  nodeId: z.string().min(1),
  name: nameSchema,
  url: z.string().min(1),
  projectId: z.string().min(1),
});

/** A node as its folder knows it. */
export interface JoinedNode {
  readonly identity: NodeIdentity;
  readonly projectId: string;
  /** The coordinator it joined. */
  readonly url: string;
}

export interface JoinOptions {
  readonly url: string;
  readonly token: string;
  readonly name: string;
  readonly folder: string;
  /** Keep the identity that is there instead of refusing. Default false. */
  readonly unlessJoined?: boolean;
}

/** How a join ended: `status` is pending until the project's owner approves the node. */
export interface Joined {
  readonly nodeId: string;
  readonly projectId: string;
  readonly status: string;
}

/**
 * Joins a project: makes an Ed25519 key, proves that it holds it, and keeps the identity in the folder (`node.json`, and `node.key` for
 * its owner alone). The key is kept before the coordinator hears of it, so that a crash between the two loses nothing but the token.
 * @throws NexusError JOIN_TOKEN_INVALID, NODE_NAME_TAKEN, NODE_FOLDER_INVALID when the folder has an identity, COORDINATOR_UNREACHABLE
 */
export async function joinNode({ url, token, name, folder, unlessJoined = false }: JoinOptions): Promise<Joined> {
  parseDocumentWith(nameSchema, name, "The node's name");
  const present = await readIdentity(folder);
  if (present !== undefined) {
    if (unlessJoined) return { nodeId: present.nodeId, projectId: present.projectId, status: "joined" };
    throw new NexusError("NODE_FOLDER_INVALID", `${folder} holds the identity of the node ${present.name} (${present.nodeId}) already.`, {
      hint: "Run it with `nexus node run`, or choose another --folder.",
    });
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const key = await generateSigningKey();
  await writeDurably(join(folder, KEY_FILE), Buffer.from(await exportSigningKey(key, "pkcs8")).toString("base64"), 0o600);
  await using transport = connectTransport({ baseUrl: url });
  const client = createClient(NodeService, transport.rpc);
  const signature = await sign(key, registrationBytes({ token, name, publicKey: key.publicKey }));
  const { nodeId, projectId, status } = await client.register({ token, name, publicKey: key.publicKey, signature });
  await writeDurably(join(folder, IDENTITY_FILE), `${JSON.stringify({ formatVersion: 1, nodeId, name, url, projectId }, null, 2)}\n`, 0o644);
  return { nodeId, projectId, status };
}

/** Reads a joined node's identity. @throws NexusError NODE_FOLDER_INVALID when there is none, or it is damaged */
export async function loadIdentity(folder: string): Promise<JoinedNode> {
  const known = await readIdentity(folder);
  if (known === undefined) throw new NexusError("NODE_FOLDER_INVALID", `${folder} holds no node's identity (${IDENTITY_FILE} is missing).`);
  try {
    const pkcs8 = Buffer.from(await readFile(join(folder, KEY_FILE), "utf8"), "base64");
    const key = await importSigningKey(pkcs8);
    return { identity: { nodeId: known.nodeId, name: known.name, key }, projectId: known.projectId, url: known.url };
  } catch (cause) {
    throw new NexusError("NODE_FOLDER_INVALID", `The key of node ${known.name} in ${join(folder, KEY_FILE)} cannot be read.`, {
      hint: "Restore the file, or join again under a new name with another --folder.",
      cause,
    });
  }
}

async function readIdentity(folder: string): Promise<z.output<typeof identitySchema> | undefined> {
  const path = join(folder, IDENTITY_FILE);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw new NexusError("NODE_FOLDER_INVALID", `${path} cannot be read.`, { hint: "Check the permissions of the folder.", cause: error });
  }
  const parsed = identitySchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new NexusError("NODE_FOLDER_INVALID", `${path} is not a node's identity.`, { cause: parsed.error });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema then refuses it with the file's name
  }
}

/** Either the old or the new text is there after a crash, never half. */
async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  try {
    await writeFile(draft, text, { mode, flush: true });
    await rename(draft, path);
    await using folder = await open(join(path, ".."), "r");
    await folder.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
