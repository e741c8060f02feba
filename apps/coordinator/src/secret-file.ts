import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";

/** The secret in a file, readable for its owner alone; made (256 bits) on the first start and kept. */
export async function secretFile(path: string): Promise<string> {
  try {
    const secret = (await readFile(path, "utf8")).trim();
    if (secret !== "") return secret;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const secret = randomBytes(32).toString("base64url");
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, `${secret}\n`, { mode: 0o600, flush: true });
  await rename(draft, path);
  return secret;
}
