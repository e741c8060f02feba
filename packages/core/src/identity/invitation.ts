/**
 * Secrets of invitations: `nxi_` + 43 characters of base64url (256 random bits), behind the `#` of a link, which browsers send to nobody.
 *
 * @module
 */
import { randomBytes } from "node:crypto";

const FORM = /^nxi_[\w-]{43}$/;
const SECONDS_PER_DAY = 86_400;

/** How long an invitation is good for when nobody says: 3 days. */
export const DEFAULT_INVITATION_SECONDS = 3 * SECONDS_PER_DAY;
/** Longest time that an invitation is good for: 30 days. */
export const MAX_INVITATION_SECONDS = 30 * SECONDS_PER_DAY;

/** A fresh secret. It is shown once, in a link; only its hash is kept. */
export function newInvitationSecret(): string {
  return `nxi_${randomBytes(32).toString("base64url")}`;
}

/** Whether a text has the form of an invitation's secret. */
export function isInvitationSecret(text: string): boolean {
  return FORM.test(text);
}
