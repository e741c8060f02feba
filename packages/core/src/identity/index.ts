/** Who may be what: roles, API tokens, and what guards secrets. @module */
export {
  API_TOKEN_PREFIX,
  type ApiTokenState,
  apiTokenState,
  claimsApiToken,
  DEFAULT_API_TOKEN_SECONDS,
  isApiToken,
  MAX_API_TOKEN_SECONDS,
  newApiToken,
} from "./api-token.ts";
export { addressKey, type AttemptLimit, type AttemptLimitOptions, createAttemptLimit } from "./attempt-limit.ts";
export { DEFAULT_INVITATION_SECONDS, isInvitationSecret, MAX_INVITATION_SECONDS, newInvitationSecret } from "./invitation.ts";
export { hashPassword, passwordFault, verifyPassword } from "./password.ts";
export { redactError, redactJson, redactSecrets, redactValue } from "./redact.ts";
export { isRole, type Role, ROLES } from "./roles.ts";
export { openSealedKey, type SealedKey, sealedKeySchema, sealKey, type SealingSecret } from "./sealed-key.ts";
export { hashSecret, sameSecret } from "./secret.ts";
