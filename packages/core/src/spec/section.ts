import type { z } from "zod";

/** One top-level key of the run spec, owned by the room whose concern it is. */
export interface SpecSection<K extends string = string, S extends z.ZodType = z.ZodType> {
  readonly key: K;
  readonly schema: S;
}

/** Declares a section; its schema's `.describe()` texts become help, form labels and reference pages. */
export function defineSection<const K extends string, S extends z.ZodType>(key: K, schema: S): SpecSection<K, S> {
  return { key, schema };
}

/** One reason why a well-formed spec cannot be run, and what to do about it. */
export interface Refusal {
  /** Where in the spec, for example `cohort.quorum`. */
  readonly path: string;
  readonly reason: string;
  readonly remedy: string;
  /** Edits that would mend it, in order. */
  readonly edits?: readonly { readonly path: string; readonly value: unknown }[];
}
