import { readFile } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { text as readStream } from "node:stream/consumers";
import type { RunSpec } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";

/**
 * Reads a run spec from a file, or from standard input for `-`.
 * @throws NexusError SPEC_UNREADABLE, SPEC_INVALID; both name the file and what is wrong where
 */
export async function readSpec(file: string, signal: AbortSignal): Promise<RunSpec> {
  const text = await readSpecText(file, signal);
  const { parseRunSpec } = await import("@ciphernx/ai/spec");
  return parseRunSpec(text, file === "-" ? "The spec" : file);
}

/**
 * The text of a spec file, or of standard input for `-`.
 * @throws NexusError SPEC_UNREADABLE naming the file and why.
 */
async function readSpecText(file: string, signal: AbortSignal): Promise<string> {
  if (file === "-") return readStream(addAbortSignal(signal, process.stdin));
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const why =
      code === "ENOENT"
        ? "does not exist"
        : code === "EISDIR"
          ? "is a folder"
          : code === "EACCES"
            ? "may not be read by this user"
            : "cannot be read";
    throw new NexusError("SPEC_UNREADABLE", `The spec file ${file} ${why}.`, { cause: error });
  }
}
