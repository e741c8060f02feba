import { readFile } from "node:fs/promises";
import { NexusError } from "../../errors/index.ts";

/** A user of the system, as the password file names it. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Reads the accounts of a password file (passwd(5)); lines that are none are passed over. */
export function parsePasswd(text: string): Account[] {
  const accounts: Account[] = [];
  for (const line of text.split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name !== undefined && name !== "" && /^\d+$/.test(uid ?? "") && /^\d+$/.test(gid ?? ""))
      accounts.push({ name, uid: Number(uid), gid: Number(gid) });
  }
  return accounts;
}

/**
 * Which account PostgreSQL runs under when we are root, as which it refuses to run: whoever owns the cluster
 * already, else `postgres`, else `nobody`. It needs an entry in the password file.
 */
export function chooseAccount(accounts: readonly Account[], ownerUid: number | undefined): Account | undefined {
  const owner = ownerUid === 0 ? undefined : accounts.find((account) => account.uid === ownerUid);
  return owner ?? accounts.find((account) => account.name === "postgres") ?? accounts.find((account) => account.name === "nobody");
}

/**
 * The account to drop to, or undefined when we are an ordinary user and PostgreSQL runs as ourselves.
 *
 * @param ownerUid - the owner of an existing cluster
 */
export async function databaseAccount(ownerUid: number | undefined): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const account = chooseAccount(parsePasswd(await readFile("/etc/passwd", "utf8")), ownerUid);
  if (account !== undefined) return account;
  throw new NexusError(
    "DATABASE_FAILED_TO_START",
    "PostgreSQL does not run as root, and this system has neither a user postgres nor a user nobody.",
    {
      hint: "Start the coordinator as an ordinary user, or set DATABASE_URL to a server of your own.",
    },
  );
}
