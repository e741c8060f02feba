import { tlsProblem } from "./certificates.ts";
import { askServer } from "./server-answer.ts";
import { type Finding, good, problem, warning } from "./finding.ts";

/** HTTP dates are whole seconds, and an answer takes its time. */
const UNNOTICED_SECONDS = 3;
/** Join tokens live for minutes. */
const HARMFUL_SECONDS = 60;

/**
 * How far this machine's clock is from that of a server, by the Date of an answer (RFC 9110, 6.6.1).
 * @param ca trusted CAs of a server at https://, PEM; undefined: those of the system
 */
export async function checkClock(url: string, signal: AbortSignal, ca?: string): Promise<Finding> {
  let date: string | undefined;
  const asked = Date.now();
  try {
    ({ date } = await askServer(url, { ca, signal }));
  } catch (error) {
    signal.throwIfAborted();
    const untrusted = tlsProblem(error instanceof Error && "code" in error ? String(error.code) : undefined, url);
    if (untrusted !== undefined) return untrusted;
  }
  const theirs = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return warning("clock", `${url} does not tell its time`, "Compare the clocks of both machines by hand.");
  return clockFinding((asked + Date.now()) / 2 - (theirs + 500));
}

/** @param aheadMs how much later it is here */
export function clockFinding(aheadMs: number): Finding {
  const seconds = Math.abs(aheadMs) / 1000;
  const found = `${seconds.toFixed(0)} s ${aheadMs > 0 ? "ahead of" : "behind"} the coordinator's`;
  const fix = "Set both clocks by NTP (for example `timedatectl set-ntp true`): tokens end by the clock.";
  if (seconds <= UNNOTICED_SECONDS) return good("clock", "as the coordinator's");
  return seconds < HARMFUL_SECONDS ? warning("clock", found, fix) : problem("clock", found, fix);
}
