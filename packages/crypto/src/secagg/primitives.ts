import type { AuthHpke } from "../hpke/index.ts";
import type { Keystream, MaskKernel } from "./masking/index.ts";

/** What the protocol needs of a platform: Node's own cryptography, or WebCrypto's. Both give the same bytes. */
export interface SecAggPrimitives extends AuthHpke {
  /** From the platform's CSPRNG; the caller wipes them. */
  randomBytes(length: number): Uint8Array<ArrayBuffer>;
  readonly keystream: Keystream;
  readonly kernel: MaskKernel;
}
