export { type AgreementKey, type AuthHpke, type OpenOptions, type SealOptions, TAG_BYTES, type X25519, X25519_BYTES } from "./suite.ts";
export { webHpke } from "./web.ts";
