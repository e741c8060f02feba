import { setFlagsFromString } from "node:v8";

/**
 * For a process whose work is moving models: call it once, first of all. V8 begins to mark the whole heap when memory outside of it has
 * grown by about 8 MB, and a socket gives every megabyte in new memory: a model that comes by costs a full collection, often more of a
 * processor's time than the model itself. Without marking in small steps a collection begins at 64 MB instead and is done in one go,
 * which takes some tens of milliseconds with the heaps that these processes have. For programs, never for a library: it holds for all of
 * the process.
 *
 * @see https://nodejs.org/api/v8.html#v8setflagsfromstringflags
 */
export function collectBulkMemory(): void {
  setFlagsFromString("--no-incremental-marking");
}
