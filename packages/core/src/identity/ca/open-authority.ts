/**
 * The authority of a data folder: `ca/authority.json`, the key in it sealed by a passphrase, and `ca/ca.crt` for everybody to trust.
 *
 * The passphrase comes from a file that the operator names, or from systemd (`ca-passphrase` in `$CREDENTIALS_DIRECTORY`). Without
 * either a random one is made and kept beside, for its owner alone: that protects a copy of `authority.json` on its own, and nothing
 * against whoever reads the whole folder.
 *
 * @module
 */
import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { NexusError } from "../../errors/index.ts";
import { type Authority, type AuthorityParts, createAuthority, makeRoot, NODE_DAYS } from "./authority.ts";
import { openSealedKey, type SealedKey, sealedKeySchema, sealKey } from "../sealed-key.ts";
import { signerOf } from "./x509.ts";

const AUTHORITY_FILE = "authority.json";
const CERTIFICATE_FILE = "ca.crt";
const PASSPHRASE_FILE = "ca.passphrase";
const TRUST_DOMAIN_FILE = "trust-domain";
const CREDENTIAL = "ca-passphrase";
/** Node certificates of the authority before have all ended by then. */
const PREVIOUS_TRUSTED_MS = (NODE_DAYS + 1) * 24 * 3_600_000;

const fileSchema = z.object({
  formatVersion: z.literal(1),
  trustDomain: z.string().regex(/^[a-z0-9.-]+$/),
  certificate: z.string(),
  key: sealedKeySchema,
  /** After a rotation: this key certified by the authority before, then that one's by the one before it. */
  cross: z.string().optional(),
  previous: z.array(z.object({ certificate: z.string(), trustedUntil: z.iso.datetime() })),
});
type AuthorityFile = z.output<typeof fileSchema>;

/** Which authority, and what opens it. */
export interface OpenAuthorityOptions {
  /** The coordinator's data folder. */
  readonly home: string;
  /** Holds the passphrase of the key, in its first line. */
  readonly passphraseFile?: string | undefined;
  /** The operator's own CA instead of one of ours: PEM files. The key may be sealed with the passphrase. */
  readonly own?: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  /** Replaces the key. Nodes that trust the old one go on: it certifies the new one. */
  readonly rotate?: boolean | undefined;
  /** Where credentials are looked for; `$CREDENTIALS_DIRECTORY` of the process. */
  readonly credentialsFolder?: string | undefined;
}

/** An authority, and where its certificate lies for people to copy. */
export interface OpenedAuthority {
  readonly authority: Authority;
  readonly certificateFile: string;
  /** Where a passphrase was made because none was given. */
  readonly madePassphrase?: string;
}

/** Where the certificate of a data folder's authority lies. */
export function authorityCertificateFile(home: string): string {
  return join(home, "ca", CERTIFICATE_FILE);
}

/**
 * Opens the authority of a data folder, or makes one. Called by the process that holds the folder.
 * @throws NexusError CA_UNUSABLE, USAGE
 */
export async function openAuthority(options: OpenAuthorityOptions): Promise<OpenedAuthority> {
  const folder = join(options.home, "ca");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const certificateFile = authorityCertificateFile(options.home);
  if (options.own !== undefined) {
    if (options.rotate === true) throw new NexusError("USAGE", "A CA of your own is rotated where it is kept, not by --rotate-ca.", { hint: "" });
    const parts = await ownAuthority(folder, options, options.own);
    await writeWhole(certificateFile, parts.certificatePem, 0o644);
    return { authority: createAuthority(parts), certificateFile };
  }
  const path = join(folder, AUTHORITY_FILE);
  const { passphrase, made } = await passphraseOf(folder, options);
  const known = await readAuthority(path);
  let opened =
    known === undefined
      ? await freshAuthority(`nexus-${randomBytes(8).toString("hex")}`, passphrase)
      : { file: known, signer: await signerIn(path, known.key, passphrase) };
  if (known !== undefined && options.rotate === true) opened = await rotated(opened, passphrase);
  const { file, signer } = opened;
  if (file !== known) await writeWhole(path, `${JSON.stringify(file, null, 2)}\n`, 0o600);
  await writeWhole(certificateFile, file.certificate, 0o644);
  const stillTrusted = file.previous.filter(({ trustedUntil }) => new Date(trustedUntil) > new Date());
  return {
    authority: createAuthority({
      ...{ trustDomain: file.trustDomain, certificatePem: file.certificate, signer, crossPem: file.cross },
      previousPems: stillTrusted.map(({ certificate }) => certificate),
    }),
    certificateFile,
    ...(made === undefined ? {} : { madePassphrase: made }),
  };
}

/** What the file of an authority says, and its opened key. */
interface Opened {
  readonly file: AuthorityFile;
  readonly signer: AuthorityParts["signer"];
}

async function freshAuthority(trustDomain: string, passphrase: string, before?: Opened): Promise<Opened> {
  const certified = before === undefined ? undefined : { certificatePem: before.file.certificate, signer: before.signer };
  const { keyPem, certificatePem, crossPem } = await makeRoot(trustDomain, certified);
  const signer = await signerOf(keyPem);
  if (signer === undefined) throw new NexusError("INTERNAL", "A CA's own key is of no kind that signs.");
  const key = await sealKey(keyPem, passphrase);
  const cross = crossPem === undefined ? {} : { cross: crossPem };
  return { file: { formatVersion: 1, trustDomain, certificate: certificatePem, key, ...cross, previous: [] }, signer };
}

/** A new key that the old one certifies; the old one is used for nothing else any more. */
async function rotated(before: Opened, passphrase: string): Promise<Opened> {
  const { file, signer } = await freshAuthority(before.file.trustDomain, passphrase, before);
  const previous = { certificate: before.file.certificate, trustedUntil: new Date(Date.now() + PREVIOUS_TRUSTED_MS).toISOString() };
  const cross = `${file.cross ?? ""}${before.file.cross ?? ""}`;
  return { file: { ...file, cross, previous: [previous, ...before.file.previous] }, signer };
}

async function readAuthority(path: string): Promise<AuthorityFile | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    document = undefined; // the schema then refuses it with the file's name
  }
  const parsed = fileSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new NexusError("CA_UNUSABLE", `${path} does not hold a certification authority.`, { hint: "Restore it from a backup.", cause: parsed.error });
}

async function signerIn(path: string, key: SealedKey, passphrase: string): Promise<AuthorityParts["signer"]> {
  const pem = await openSealedKey(key, passphrase);
  const signer = pem === undefined ? undefined : await signerOf(pem);
  if (signer === undefined) throw new NexusError("CA_UNUSABLE", `The passphrase does not open the key in ${path}, or the file was changed.`);
  return signer;
}

async function passphraseOf(
  folder: string,
  { passphraseFile, credentialsFolder = process.env["CREDENTIALS_DIRECTORY"] }: OpenAuthorityOptions,
): Promise<{ readonly passphrase: string; readonly made?: string }> {
  if (passphraseFile !== undefined) return { passphrase: await readPassphrase(passphraseFile) };
  const credential = credentialsFolder === undefined || credentialsFolder === "" ? undefined : join(credentialsFolder, CREDENTIAL);
  if (credential !== undefined && (await readIfThere(credential)) !== undefined) return { passphrase: await readPassphrase(credential) };
  const kept = join(folder, PASSPHRASE_FILE);
  if ((await readIfThere(kept)) !== undefined) return { passphrase: await readPassphrase(kept) };
  if ((await readIfThere(join(folder, AUTHORITY_FILE))) !== undefined) {
    throw new NexusError("CA_UNUSABLE", `The key of the CA in ${folder} is sealed, and no passphrase was given.`);
  }
  const passphrase = randomBytes(32).toString("base64url");
  await writeWhole(kept, `${passphrase}\n`, 0o600);
  return { passphrase, made: kept };
}

async function readPassphrase(path: string): Promise<string> {
  const [line = ""] = (await readNamed(path)).split(/\r?\n/, 1);
  if (line === "") throw new NexusError("CA_UNUSABLE", `${path} holds no passphrase: its first line is empty.`);
  return line;
}

async function ownAuthority(
  folder: string,
  options: OpenAuthorityOptions,
  { certificateFile, keyFile }: NonNullable<OpenAuthorityOptions["own"]>,
): Promise<AuthorityParts> {
  const [certificatePem, keyPem] = [await readNamed(certificateFile), await readNamed(keyFile)];
  const unusable = (message: string, cause?: unknown) =>
    new NexusError("CA_UNUSABLE", message, { hint: "Give PEM files that belong together.", cause });
  let signer: AuthorityParts["signer"] | undefined;
  let canonicalPem: string;
  try {
    const certificate = new X509Certificate(certificatePem);
    const passphrase = keyPem.includes("ENCRYPTED") ? (await passphraseOf(folder, options)).passphrase : undefined;
    const key = createPrivateKey({ key: keyPem, ...(passphrase === undefined ? {} : { passphrase }) });
    if (!certificate.ca) throw unusable(`The certificate in ${certificateFile} is not that of a CA.`);
    if (!certificate.checkPrivateKey(key)) throw unusable(`The key in ${keyFile} does not belong to the certificate in ${certificateFile}.`);
    if (new Date(certificate.validTo) < new Date()) throw unusable(`The certificate in ${certificateFile} has expired on ${certificate.validTo}.`);
    canonicalPem = certificate.toString();
    signer = await signerOf(key);
  } catch (error) {
    throw error instanceof NexusError ? error : unusable(`The CA in ${certificateFile} and ${keyFile} cannot be read: ${String(error)}`, error);
  }
  if (signer === undefined) throw unusable(`The key in ${keyFile} is neither ECDSA (P-256, P-384) nor RSA.`);
  const domainFile = join(folder, TRUST_DOMAIN_FILE);
  let trustDomain = (await readIfThere(domainFile))?.trim();
  if (trustDomain === undefined) {
    trustDomain = `nexus-${randomBytes(8).toString("hex")}`;
    await writeWhole(domainFile, `${trustDomain}\n`, 0o644);
  }
  return { trustDomain, certificatePem: canonicalPem, signer };
}

async function readNamed(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new NexusError("CA_UNUSABLE", `${path} cannot be read.`, { hint: "Check the path and who may read it.", cause });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new NexusError("CA_UNUSABLE", `${path} cannot be read.`, { hint: "Check who may read it.", cause: error });
  }
}

/** Either the old or the new text is there after a crash, never half. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  try {
    await using file = await open(draft, "w", mode);
    await chmod(draft, mode);
    await file.writeFile(text);
    await file.sync();
    await rename(draft, path);
    await using parent = await open(join(path, ".."), "r");
    await parent.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
