import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const TOKEN_FILE = "owner.token";

/** Where the owner token of a data folder lies, readable for its owner alone. */
export function ownerTokenPath(home: string): string {
  return join(home, TOKEN_FILE);
}

/** The owner token of a data folder; made (256 bits) on the first start and kept. */
export async function ownerToken(home: string): Promise<string> {
  const path = ownerTokenPath(home);
  try {
    const token = (await readFile(path, "utf8")).trim();
    if (token !== "") return token;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const token = randomBytes(32).toString("base64url");
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, `${token}\n`, { mode: 0o600, flush: true });
  await rename(draft, path);
  return token;
}
