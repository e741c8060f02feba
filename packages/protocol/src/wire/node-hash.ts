import { createHash } from "node:crypto";
import type { StreamHash } from "./verified-blob.ts";

/** SHA-256 of this Node. */
export const nodeHash = (): StreamHash => createHash("sha256");
