import { stat, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { basename } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import type { Context } from "../context.ts";
import { type ServiceUnit, serviceUnit } from "./unit.ts";

/** Where a unit is written to, and how it would be called there. */
export interface InstallOptions {
  /** Without `.service`. */
  readonly name: string;
  /** Undefined: it is printed. */
  readonly write: string | undefined;
}

/** Prints a unit, or writes it to a file that is not there yet; nothing is started. @throws NexusError USAGE, FILE_UNUSABLE */
export async function installUnit(
  unit: ServiceUnit,
  { name, write }: InstallOptions,
  { output, confirm }: Pick<Context, "output" | "confirm">,
): Promise<void> {
  const text = serviceUnit(unit);
  if (write === undefined) {
    output.note(`# Save it as /etc/systemd/system/${name}.service, then: systemctl daemon-reload && systemctl enable --now ${name}`);
    output.result({ data: { name, unit: text }, text: text.trimEnd(), ids: [text.trimEnd()] });
    return;
  }
  if (!write.endsWith(".service")) {
    throw new NexusError("USAGE", `systemd would not find ${write}: names of services end in .service.`, {
      hint: `Write it to /etc/systemd/system/${name}.service.`,
    });
  }
  const isThere = await stat(write).then(
    () => true,
    () => false,
  );
  if (isThere) await confirm(`Replace ${write}?`);
  await writeFile(write, text, { mode: 0o644 });
  const service = basename(write, ".service");
  output.result({
    data: { name: service, file: write, unit: text },
    text: `Wrote ${write}. To start it now and with the machine: systemctl daemon-reload && systemctl enable --now ${service}`,
    ids: [write],
  });
}

/** How this program is started again: by the Node that runs it now. */
export function ownCommand(args: readonly string[]): readonly string[] {
  return [process.execPath, ...process.execArgv, process.argv[1]!, ...args];
}

/** Whom a folder belongs to: by name when that is the person who asks, else by number, which systemd takes as well. */
export async function ownerOf(folder: string): Promise<string> {
  const { uid } = await stat(folder);
  const own = userInfo();
  return own.uid === uid ? own.username : String(uid);
}
