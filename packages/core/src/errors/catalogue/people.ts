import { defineErrors, EXIT } from "./define.ts";

export const peopleErrors = defineErrors({
  SIGN_IN_FAILED: {
    exit: EXIT.failed,
    rpc: "unauthenticated",
    meaning: "No member of the project has that e-mail address with that password; which of the two is wrong is not told.",
    hint: "Check both. An owner can take the membership back and send a new invitation.",
  },
  PASSWORD_UNFIT: {
    exit: EXIT.usage,
    rpc: "invalid_argument",
    meaning: "The password is too short, too long, or contains what others know of its owner.",
    hint: "Take several words that have nothing to do with each other, 15 characters or more.",
  },
  INVITATION_INVALID: {
    exit: EXIT.failed,
    rpc: "permission_denied",
    meaning: "The link is unknown, has expired, was used or taken back, or is meant for another e-mail address.",
    hint: "Ask an owner of the project for a new one; `nexus member link` makes one for an owner.",
  },
  MEMBER_EXISTS: {
    exit: EXIT.failed,
    rpc: "already_exists",
    meaning: "Somebody has an account with that e-mail address.",
    hint: "Sign in with it, or use another address.",
  },
  MEMBER_NOT_FOUND: {
    exit: EXIT.failed,
    rpc: "not_found",
    meaning: "The project has no member and no open invitation of that id or e-mail address.",
    hint: "`nexus member list` shows both.",
  },
  LAST_OWNER: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "A project keeps at least one owner.",
    hint: "Make somebody else an owner first.",
  },
  PASSKEY_REFUSED: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "A passkey cannot be added, used or removed that way.",
    hint: "Open the page under its name (`http://localhost` on the coordinator's machine) and try again; a password works as before.",
  },
  OIDC_FAILED: {
    exit: EXIT.failed,
    rpc: "unauthenticated",
    meaning: "Signing in by the OpenID provider failed: it does not answer, or its answer does not prove who signs in.",
    hint: "Begin again from the coordinator's page. For its operator: the log says more; check issuer, client and redirect address.",
  },
  SESSION_TOO_OLD: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning:
      "A way of signing in is added within ten minutes of signing in alone, so that a browser left open, or a stolen session, is no way to stay.",
    hint: "Sign out and in again first.",
  },
  SESSION_NOT_FOUND: {
    exit: EXIT.failed,
    rpc: "not_found",
    meaning: "The person has no open session of that id.",
    hint: "Load the page again: the session may have ended.",
  },
});
