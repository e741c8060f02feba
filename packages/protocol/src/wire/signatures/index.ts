/** Requests that a node signs one by one, because it can show no client certificate: HTTP Message Signatures (RFC 9421). @module */
export type { SignedContent } from "./content-digest.ts";
export { createReplayWindow, type ReplayWindow } from "./replay-window.ts";
export { readSignature, type ShownSignature, type SignatureParameters } from "./request-signature.ts";
export { type RequestSigner, requestSigner, type RequestSignerOptions } from "./request-signer.ts";
export type { SignedHead } from "./signature-base.ts";
