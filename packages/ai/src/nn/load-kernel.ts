import { NexusError } from "@ciphernx/core/errors";
import { createKernel, type Kernel } from "./kernel.ts";

/** The same file from `src/nn` and from `dist/nn`; bundlers know this form and ship the file. */
const WASM = new URL("../../wasm/nn.wasm", import.meta.url);

let loaded: Promise<Kernel> | undefined;

/** The kernels of this package, read and compiled once a process (or page). */
export function loadKernel(): Promise<Kernel> {
  loaded ??= read()
    .then(createKernel)
    .catch((error: unknown) => {
      // A failure is not kept: the file may be there the next time.
      loaded = undefined;
      throw error;
    });
  return loaded;
}

async function read(): Promise<Uint8Array<ArrayBuffer>> {
  try {
    if (WASM.protocol === "file:") {
      const { readFile } = await import("node:fs/promises");
      return await readFile(WASM);
    }
    const response = await fetch(WASM);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new NexusError(
      "INTERNAL",
      `The training kernels cannot be read from ${WASM.href}: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        hint: "In a clone, `npm run prepare` builds them.",
        cause,
      },
    );
  }
}
