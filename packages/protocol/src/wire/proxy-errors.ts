import { NexusError } from "@ciphernx/core/errors";

/** Statuses of a proxy that says something about itself or its user, rather than that it did not reach the coordinator. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 405, 407, 451]);

/** The `NexusError` for a tunnel that a proxy did not make, found along the causes; undefined for other errors. */
export function proxyError(error: unknown, target: string): NexusError | undefined {
  const seen = new Set<unknown>();
  for (let current = error; current instanceof Error && !seen.has(current); current = current.cause) {
    seen.add(current);
    if (!("code" in current) || current.code !== "ERR_PROXY_TUNNEL") continue;
    const status = "statusCode" in current && typeof current.statusCode === "number" ? current.statusCode : undefined;
    const details = { target, ...(status === undefined ? {} : { status }) };
    if (status !== undefined && REFUSALS.has(status)) {
      return new NexusError("PROXY_REFUSED", `The proxy on the way to ${target} refuses (HTTP status ${status}).`, { details, cause: error });
    }
    const how = status === undefined ? "it broke off" : `HTTP status ${status}`;
    return new NexusError("COORDINATOR_UNREACHABLE", `The proxy on the way to ${target} did not get through to it (${how}).`, {
      details,
      cause: error,
    });
  }
  return undefined;
}
