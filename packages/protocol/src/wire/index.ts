/** How parties reach the coordinator: transports, blob transfer, errors over the wire, and what nodes sign. @module */
export { bearerToken, callerAddress, callerToken, peerValues } from "./bearer.ts";
export { type BlobEndpoint, type BlobUpload, receiveBlob, type Resuming } from "./blob-endpoint.ts";
export {
  certificateBytes,
  readingBytes,
  registrationBytes,
  reportBytes,
  sessionBytes,
  type SignedCertificateRequest,
  type SignedReading,
  type SignedRegistration,
  type SignedReport,
  type SignedSession,
  type SignedStart,
  startBytes,
} from "./canonical.ts";
export { fromConnectError, toConnectError } from "./error-detail.ts";
export { MAX_MESSAGE_BYTES } from "./limits.ts";
export { isLoopbackHost } from "./loopback.ts";
export { createPartialUploads, type PartialUploadLimits, type PartialUploads } from "./partial-uploads.ts";
export {
  claimsSessionToken,
  cookieValue,
  isFromOwnPage,
  type RequestHeaders,
  sessionCookieValue,
  sessionToken,
  socketSessionToken,
} from "./session-cookie.ts";
export type { BlobChannel, BlobGetOptions, BlobGetWholeOptions, BlobPutOptions, TokenSource, Transport } from "./transport.ts";
export type { WireLog } from "./wire-log.ts";
