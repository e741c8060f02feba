/**
 * An organisation as its own folder knows it: `organisation.json`, the Ed25519 key in it sealed by a passphrase (`core/identity`), mode
 * 0600. The coordinator never sees the folder. A key that replaces another is kept beside it until the roster names it, so that a
 * rotation which breaks off at any point loses none of the two.
 *
 * @module
 */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { openSealedKey, sealedKeySchema, sealKey, type SealingSecret } from "@ciphernx/core/identity";
import { extendsHead, publicKeySchema, type Roster, type RosterHead } from "@ciphernx/core/roster";
import { nameSchema, sha256Schema } from "@ciphernx/core/spec";
import { exportSigningKey, generateSigningKey, importSigningKey, type SigningKey } from "@ciphernx/crypto/keys";
import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";
import { readIfThere, writeDurably } from "../node/durable-file.ts";

const FILE = "organisation.json";

const keySchema = z.strictObject({ publicKey: publicKeySchema, sealed: sealedKeySchema });

const fileSchema = z.strictObject({
  formatVersion: z.literal(1),
  organisation: nameSchema,
  project: z.string().min(1),
  url: z.string().min(1),
  key: keySchema,
  /** A key that is to replace it; the roster says whether it does. */
  nextKey: keySchema.optional(),
  /** The roster as this organisation saw it last. */
  head: z.strictObject({ version: z.int().min(1), hash: sha256Schema }).optional(),
});
type OrganisationFile = z.output<typeof fileSchema>;

/** What an organisation's folder says without a passphrase. */
export interface OrganisationFacts {
  readonly name: string;
  /** The project's id. */
  readonly project: string;
  /** The coordinator. */
  readonly url: string;
  /** Hex. */
  readonly publicKey: string;
}

/** An organisation whose key is open. */
export interface OpenOrganisation extends OrganisationFacts {
  /** The one that signs. */
  readonly key: SigningKey;
  /** It, and the one that is to replace it: a rotation may have broken off before its answer came. */
  readonly keys: readonly SigningKey[];
  /**
   * Told of the roster as the coordinator shows it: it has to go on from what was seen before, which is then kept.
   * @throws NexusError ROSTER_FORKED
   */
  seen(roster: Roster): Promise<void>;
  /** Makes the key that is to replace this one, and keeps it; the same again when a rotation broke off. */
  nextKey(): Promise<SigningKey>;
}

export interface CreateOrganisationOptions {
  readonly folder: string;
  readonly name: string;
  readonly project: string;
  readonly url: string;
  /** Opens the key from then on; 32 random bytes where no person has to keep it. */
  readonly passphrase: SealingSecret;
  /** What an invitation says of the roster. */
  readonly head?: RosterHead;
}

/**
 * Makes an organisation's key in a folder.
 * @throws NexusError USAGE for a name that is none, ORGANISATION_FOLDER_INVALID when the folder has one already
 */
export async function createOrganisation({ passphrase, ...options }: CreateOrganisationOptions): Promise<OpenOrganisation> {
  const folder = resolve(options.folder);
  const name = nameSchema.safeParse(options.name);
  if (!name.success)
    throw new NexusError("USAGE", `An organisation cannot be called "${options.name}". ${name.error.issues[0]!.message}`, { hint: "" });
  const present = await readFile(folder);
  if (present !== undefined) {
    // One that broke off before its key came to be known is taken up again.
    if (present.organisation !== name.data || present.project !== options.project) {
      throw new NexusError("ORGANISATION_FOLDER_INVALID", `${folder} holds the key of the organisation "${present.organisation}" already.`, {
        hint: "Name another --folder.",
      });
    }
    return openOrganisation(folder, passphrase);
  }
  const key = await generateSigningKey();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { project, url, head } = options;
  const file: OrganisationFile = {
    ...{ formatVersion: 1, organisation: name.data, project, url, key: await sealed(key, passphrase) },
    ...(head === undefined ? {} : { head }),
  };
  await write(folder, file);
  return opened(folder, file, { key, next: undefined }, passphrase);
}

/** @throws NexusError ORGANISATION_FOLDER_INVALID, ORGANISATION_KEY_LOCKED */
export async function openOrganisation(folder: string, passphrase: SealingSecret): Promise<OpenOrganisation> {
  const path = resolve(folder);
  const file = await readFile(path);
  if (file === undefined) throw new NexusError("ORGANISATION_FOLDER_INVALID", `${path} holds no organisation's key (${FILE} is missing).`);
  const key = await openKey(path, file.key, passphrase);
  const next = file.nextKey === undefined ? undefined : await openKey(path, file.nextKey, passphrase);
  return opened(path, file, { key, next }, passphrase);
}

/** @throws NexusError ORGANISATION_FOLDER_INVALID */
export async function organisationFacts(folder: string): Promise<OrganisationFacts> {
  const path = resolve(folder);
  const file = await readFile(path);
  if (file === undefined) throw new NexusError("ORGANISATION_FOLDER_INVALID", `${path} holds no organisation's key (${FILE} is missing).`);
  return factsOf(file);
}

function factsOf({ organisation, project, url, key }: OrganisationFile): OrganisationFacts {
  return { name: organisation, project, url, publicKey: key.publicKey };
}

/** The opened keys of an organisation's file. */
interface OpenKeys {
  readonly key: SigningKey;
  readonly next: SigningKey | undefined;
}

function opened(folder: string, first: OrganisationFile, firstKeys: OpenKeys, passphrase: SealingSecret): OpenOrganisation {
  let file = first;
  let keys = firstKeys;
  /** As it was shown to this process, of several answers that crossed the longest. */
  let longest: Roster | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  /** One after the other: each goes on from what the one before wrote. */
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const turn = writing.then(action);
    writing = turn.catch(() => {}); // whoever called hears of it
    return turn;
  };
  const keep = async (change: OrganisationFile): Promise<void> => {
    await write(folder, change);
    file = change;
  };
  return {
    ...factsOf(file),
    get publicKey() {
      return file.key.publicKey;
    },
    get key() {
      return keys.key;
    },
    get keys() {
      return keys.next === undefined ? [keys.key] : [keys.key, keys.next];
    },
    seen: (roster) =>
      inTurn(async () => {
        if (longest !== undefined && roster.version < longest.version && longest.hashes[roster.version - 1] === roster.hash) return;
        if (file.head !== undefined && !extendsHead(roster, file.head)) {
          throw new NexusError(
            "ROSTER_FORKED",
            `The roster that the coordinator shows (entry ${roster.version}) does not go on from entry ${file.head.version} as "${file.organisation}" saw it.`,
            { details: { seen: file.head, shown: { version: roster.version, hash: roster.hash } } },
          );
        }
        longest = roster;
        const { nextKey, ...rest } = file;
        const head = { version: roster.version, hash: roster.hash };
        if (nextKey === undefined || keys.next === undefined || roster.organisations.get(file.organisation)?.key !== nextKey.publicKey) {
          if (file.head?.hash !== head.hash) await keep({ ...file, head });
          return;
        }
        await keep({ ...rest, key: nextKey, head });
        keys = { key: keys.next, next: undefined };
      }),
    nextKey: () =>
      inTurn(async () => {
        if (keys.next !== undefined) return keys.next;
        const next = await generateSigningKey();
        await keep({ ...file, nextKey: await sealed(next, passphrase) });
        keys = { ...keys, next };
        return next;
      }),
  };
}

async function sealed(key: SigningKey, passphrase: SealingSecret): Promise<OrganisationFile["key"]> {
  const secret = Buffer.from(await exportSigningKey(key, "pkcs8")).toString("base64");
  return { publicKey: bytesToHex(key.publicKey), sealed: await sealKey(secret, passphrase) };
}

async function openKey(folder: string, { publicKey, sealed: secret }: OrganisationFile["key"], passphrase: SealingSecret): Promise<SigningKey> {
  const text = await openSealedKey(secret, passphrase);
  if (text === undefined) throw new NexusError("ORGANISATION_KEY_LOCKED", `The passphrase does not open the key in ${join(folder, FILE)}.`);
  const key = await importSigningKey(Buffer.from(text, "base64"));
  if (bytesToHex(key.publicKey) === publicKey) return key;
  throw damaged(folder, new Error("The sealed key is another than the file says."));
}

async function write(folder: string, file: OrganisationFile): Promise<void> {
  await writeDurably(join(folder, FILE), `${JSON.stringify(file, null, 2)}\n`, 0o600);
}

async function readFile(folder: string): Promise<OrganisationFile | undefined> {
  const text = await readIfThere(join(folder, FILE));
  if (text === undefined) return undefined;
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw damaged(folder, cause);
  }
}

function damaged(folder: string, cause: unknown): NexusError {
  return new NexusError("ORGANISATION_FOLDER_INVALID", `${join(folder, FILE)} cannot be read as an organisation's key.`, {
    hint: "Restore it from a backup.",
    cause,
  });
}
