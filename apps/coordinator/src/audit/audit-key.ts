import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exportSigningKey, generateSigningKey, importSigningKey, type SigningKey } from "@ciphernx/crypto/keys";

const KEY_FILE = "audit.key";

/** The key by which a data folder's coordinator signs heads of its audit log; made on the first start and kept, for its owner alone. */
export async function auditKey(home: string): Promise<SigningKey> {
  const path = join(home, KEY_FILE);
  try {
    return await importSigningKey(Buffer.from(await readFile(path, "utf8"), "base64"));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const key = await generateSigningKey();
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, `${Buffer.from(await exportSigningKey(key, "pkcs8")).toString("base64")}\n`, { mode: 0o600, flush: true });
  await rename(draft, path);
  return key;
}
