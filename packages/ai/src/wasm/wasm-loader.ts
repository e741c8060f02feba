import { NexusError } from "@ciphernx/core/errors";

/** A wasm file of this package, and what is made of its bytes. */
export interface WasmSource<K> {
  /** Written where the file is meant as `new URL("…", import.meta.url)`: bundlers know this form and ship the file. */
  readonly url: URL;
  /** What the file holds, for errors: "training kernels". */
  readonly name: string;
  readonly compile: (wasm: Uint8Array<ArrayBuffer>) => Promise<K>;
}

/**
 * A function that reads and compiles a wasm file once a process (or page), from the disk or over HTTP.
 * What it returns rejects with a NexusError INTERNAL when the file is missing or not what it should be, with what builds it.
 */
export function wasmLoader<K>(source: WasmSource<K>): () => Promise<K> {
  let loaded: Promise<K> | undefined;
  return () => {
    loaded ??= load(source).catch((error: unknown) => {
      // A failure is not kept: the file may be there the next time.
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}

async function load<K>({ url, name, compile }: WasmSource<K>): Promise<K> {
  try {
    return await compile(await read(url));
  } catch (cause) {
    if (cause instanceof NexusError) throw cause;
    throw new NexusError("INTERNAL", `The ${name} cannot be loaded from ${url.href}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      hint: "In a clone, `npm run prepare` builds them.",
      cause,
    });
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
