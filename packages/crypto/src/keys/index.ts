export { canonicalBytes, type CanonicalValue } from "./canonical-bytes.ts";
export {
  exportSigningKey,
  generateSigningKey,
  importSigningKey,
  PUBLIC_KEY_BYTES,
  SEED_BYTES,
  sign,
  SIGNATURE_BYTES,
  type SigningKey,
  verify,
} from "./ed25519.ts";
