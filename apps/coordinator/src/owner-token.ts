import { join } from "node:path";
import { secretFile } from "./secret-file.ts";

const TOKEN_FILE = "owner.token";

/** Where the owner token of a data folder lies, readable for its owner alone. */
export function ownerTokenPath(home: string): string {
  return join(home, TOKEN_FILE);
}

/** The owner token of a data folder; made (256 bits) on the first start and kept. */
export async function ownerToken(home: string): Promise<string> {
  return secretFile(ownerTokenPath(home));
}
