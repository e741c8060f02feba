/** The coordinator's certification authority, and what nodes ask of it. Node only. @module */
export { type Authority, NODE_DAYS, renewalDueAt, type ServerCredentials } from "./authority.ts";
export { type CertificateRequest, makeCertificateRequest } from "./certificate-request.ts";
export { type NodeCertificate, type NodeNames, readNodeCertificate } from "./node-names.ts";
export { authorityCertificateFile, openAuthority, type OpenAuthorityOptions, type OpenedAuthority } from "./open-authority.ts";
export { keyFingerprint } from "./x509.ts";
