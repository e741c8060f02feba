import type { SigningKey } from "@ciphernx/crypto/keys";

/** Who a node is to its coordinator. */
export interface NodeIdentity {
  readonly nodeId: string;
  /** The name run specs use. */
  readonly name: string;
  readonly key: SigningKey;
}
