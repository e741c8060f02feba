import { NexusError, toNexusError } from "../errors/index.ts";
import { isSha256, type Sha256 } from "./blob-store.ts";

/** The error for a blob that is not there. */
export function blobNotFound(hash: string): NexusError {
  return new NexusError("BLOB_NOT_FOUND", `There is no blob ${hash}.`, { details: { blob: hash } });
}

/** The error for a blob that ends before the bytes that were asked for. */
export function blobTooShort(hash: string, wanted: number, sizeBytes: number): NexusError {
  const message = `Blob ${hash} has ${sizeBytes} bytes, but bytes up to ${wanted} were asked for.`;
  return new NexusError("BLOB_CORRUPT", message, { details: { blob: hash, sizeBytes, wanted } });
}

/** The error for using a staged blob after its end: a defect of the caller. */
export function stagedBlobEnded(action: string): NexusError {
  return new NexusError("INTERNAL", `A staged blob was asked to ${action} after it was finished, committed or discarded.`);
}

/** What a failed system call on a blob's file means; ENOENT is left to the caller, who knows what is missing. */
export function blobIoError(error: unknown, action: string): NexusError {
  const known = toNexusError(error);
  if (known.code !== "INTERNAL" || known === error) return known;
  return new NexusError("INTERNAL", `Could not ${action}: ${known.message}`, { cause: error });
}

/** Refuses an address that is none before it becomes part of a path. */
export function assertSha256(hash: string): asserts hash is Sha256 {
  if (!isSha256(hash)) throw blobNotFound(JSON.stringify(hash.slice(0, 80)));
}
