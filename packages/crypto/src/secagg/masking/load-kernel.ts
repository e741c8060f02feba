import { instantiateMaskKernel, type MaskKernel } from "./kernel.ts";

let loaded: Promise<MaskKernel> | undefined;

/**
 * The masking kernels of this package, read and compiled once a process (or page), from the disk or over HTTP.
 * @throws Error when the file is missing or not theirs, with what builds it
 */
export function loadMaskKernel(): Promise<MaskKernel> {
  loaded ??= load().catch((error: unknown) => {
    // A failure is not kept: the file may be there the next time.
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function load(): Promise<MaskKernel> {
  // The same file from `src/secagg/masking` and from `dist/secagg/masking`. Bundlers know this form and ship the file.
  const url = new URL("../../../wasm/secagg.wasm", import.meta.url);
  try {
    return await instantiateMaskKernel(await read(url));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The masking kernels cannot be loaded from ${url.href}: ${reason}. In a clone, \`npm run prepare\` builds them.`, { cause });
  }
}

async function read(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return readFile(url);
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
