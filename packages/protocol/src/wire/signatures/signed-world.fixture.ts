/** A node that signs its requests, and a server's check that knows it alone. @module */
import { NexusError } from "@ciphernx/core/errors";
import { generateSigningKey, verify } from "@ciphernx/crypto/keys";
import type { CheckSignature, SignedRequest } from "../server/signed-requests.ts";
import { createReplayWindow } from "./replay-window.ts";
import { readSignature } from "./request-signature.ts";
import { requestSigner } from "./request-signer.ts";

export async function signedWorld() {
  const key = await generateSigningKey();
  const window = createReplayWindow();
  /** Requests whose signatures were good. */
  const seen: SignedRequest[] = [];
  const checkSignature: CheckSignature = async (request) => {
    const shown = readSignature(request);
    if (!(await verify(key.publicKey, shown.base, shown.signature))) throw new NexusError("SIGNATURE_INVALID", "That is not the key of node_1.");
    window.use(shown);
    seen.push(request);
    return shown.nodeId;
  };
  return { key, seen, checkSignature, signer: requestSigner({ nodeId: "node_1", key }) };
}
