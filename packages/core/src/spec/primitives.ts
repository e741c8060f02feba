import { z } from "zod";

/** A name of a party, dataset or run: what can stand in a file name, a URL and a shell word on every system. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/, "A name has 1 to 64 of a–z, 0–9, '.', '_', '-', and begins and ends with a letter or digit.")
  .describe("A name: a–z, 0–9, '.', '_', '-'");

/** The seed of every random stream of a run. */
export const seedSchema = z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe("Seed of every random stream of the run");

/** A blob's address. */
export const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "A SHA-256 has 64 lower-case hex digits.")
  .describe("SHA-256 in hex");
