import { ERROR_CATALOGUE, type ErrorCode } from "./catalogue/index.ts";
import type { ErrorEntry } from "./catalogue/define.ts";

export interface NexusErrorOptions {
  /** The next step for whoever reads it; the catalogue's hint when absent. */
  readonly hint?: string;
  /** Ids and figures that a program may want, JSON-serialisable. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error of the product: what happened, to which id, and what to do next.
 *
 * @example
 * throw new NexusError("RUN_NOT_FOUND", `No run has the id ${id}.`, { details: { run: id } });
 */
export class NexusError extends Error {
  override readonly name = "NexusError";
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: NexusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? this.entry.hint;
    this.details = options.details ?? {};
  }

  private get entry(): ErrorEntry {
    return ERROR_CATALOGUE[this.code];
  }

  /** Where the reference page describes the code. */
  get docsPath(): string {
    return `docs/errors.md#${this.code.toLowerCase()}`;
  }

  get exitCode(): number {
    return this.entry.exit;
  }

  get rpcStatus(): string {
    return this.entry.rpc;
  }

  /** Whether the same call may succeed later without anything being changed. */
  get retryable(): boolean {
    return this.entry.retryable ?? false;
  }
}

/** Whether a string received from elsewhere is a code of this build's catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, code);
}

/** Turns anything thrown into a `NexusError`: unknown errors become INTERNAL with the cause kept, a full disk DISK_FULL. */
export function toNexusError(error: unknown): NexusError {
  if (error instanceof NexusError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const errno = error instanceof Error && "code" in error ? error.code : undefined;
  if (errno === "ENOSPC" || errno === "EDQUOT" || errno === "53100") {
    return new NexusError("DISK_FULL", `The disk is full: ${message}`, { cause: error });
  }
  if (error instanceof Error && error.name === "AbortError") {
    return new NexusError("INTERRUPTED", "The work was interrupted.", { cause: error });
  }
  return new NexusError("INTERNAL", message, { cause: error });
}
