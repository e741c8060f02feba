import type { X509Certificate } from "node:crypto";
import { type Finding, good, problem, warning } from "./finding.ts";

const DAY_MS = 24 * 3_600_000;

/** How a certificate is to be looked at. */
export interface Expected {
  /** What is looked at: `CA`, `node certificate`. */
  readonly subject: string;
  /** What to do about one that has ended, or soon will. */
  readonly fix: string;
  /** Whether whoever has it gets the next one by themselves when this has ended. */
  readonly renewsItself?: boolean;
  /** Share of its life, from 0 to 1, that is left when its end is worth a warning. Default 0.1. */
  readonly warnBelow?: number;
}

/** Whether a certificate is in time by this machine's clock. */
export function certificateFinding(
  certificate: X509Certificate,
  { subject, fix, renewsItself = false, warnBelow = 0.1 }: Expected,
  now = new Date(),
): Finding {
  const [from, to] = [certificate.validFromDate, certificate.validToDate];
  if (now < from) {
    return problem(
      subject,
      `good only from ${from.toISOString()}, and it is ${now.toISOString()} here`,
      "Set this machine's clock by NTP (for example `timedatectl set-ntp true`); where it is right, have the certificate made anew.",
    );
  }
  if (now > to) {
    const found = `expired on ${to.toISOString()}`;
    return renewsItself ? warning(subject, found, fix) : problem(subject, found, fix);
  }
  const left = to.getTime() - now.getTime();
  const found = `good until ${to.toISOString().slice(0, 10)} (${Math.floor(left / DAY_MS)} days)`;
  const isShort = left < warnBelow * (to.getTime() - from.getTime());
  return isShort ? warning(subject, found, fix) : good(subject, found);
}

/** Why TLS came about with nobody, by the code of the error; undefined for what has nothing to do with certificates. */
export function tlsProblem(code: string | undefined, url: string): Finding | undefined {
  const subject = "certificate";
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return problem(
        subject,
        `that of ${url} is for other names`,
        "Use a name that it is for, or start the coordinator with `nexus up --public-name NAMES`.",
      );
    case "CERT_HAS_EXPIRED":
      return problem(subject, `that of ${url} has expired by this machine's clock`, "Compare the clocks; a coordinator that runs renews its own.");
    case "CERT_NOT_YET_VALID":
      return problem(subject, `that of ${url} is not good yet by this machine's clock`, "Set this machine's clock by NTP.");
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "CERT_SIGNATURE_FAILURE":
      return problem(
        subject,
        `that of ${url} leads to no CA that is trusted here (${code})`,
        "Give a copy of `ca/ca.crt` from the coordinator's data folder by --ca; a node has it as ca.crt in its folder.",
      );
    default:
      return undefined;
  }
}
