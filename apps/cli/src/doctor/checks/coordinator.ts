import { createServer } from "node:net";
import { SOFTWARE_VERSION } from "@ciphernx/ai/federation/node";
import { connect } from "@ciphernx/ai/client";
import { toNexusError } from "@ciphernx/core/errors";
import { findConnection } from "../../connection.ts";
import { certificateFinding } from "../certificates.ts";
import { askServer } from "../server-answer.ts";
import { checkClock } from "../clock.ts";
import { type Check, type Finding, good, problem, warning } from "../finding.ts";

const DEFAULT_PORT = 7700;

/** The coordinator that commands speak to: whether it answers, knows the token, is of this version and of one mind about the time. */
export const checkCoordinator: Check = async (examined) => {
  let connection;
  try {
    connection = await findConnection(examined.global);
  } catch (error) {
    const { code, message, hint } = toNexusError(error);
    // Nobody runs on the folder, and nobody named another: that is how it is before `nexus up`.
    if (code === "COORDINATOR_UNREACHABLE" && examined.global.url === undefined) {
      return [warning("coordinator", message, "Start it with `nexus up --detach`, or name one with --url."), await checkPort()];
    }
    return [problem("coordinator", message, hint)];
  }
  await using nexus = connect(connection);
  try {
    const { version } = await nexus.status();
    const nodes = await nexus.nodes.list();
    const online = nodes.filter(({ online: isOnline }) => isOnline).length;
    return [
      versionFinding(connection.url, version),
      good("access", `the token opens it; ${online} of ${nodes.length} nodes online`),
      await checkClock(connection.url, examined.signal, connection.ca),
      ...(await checkServerCertificate(connection.url, connection.ca, examined.signal)),
    ];
  } catch (error) {
    examined.signal.throwIfAborted();
    const { code, message, hint } = toNexusError(error);
    return [problem(code === "UNAUTHENTICATED" || code === "FORBIDDEN" ? "access" : "coordinator", message, hint)];
  }
};

/** What the coordinator shows over TLS; it renews that by itself when two thirds of its life have passed. */
async function checkServerCertificate(url: string, ca: string | undefined, signal: AbortSignal): Promise<readonly Finding[]> {
  if (!url.startsWith("https:")) return [];
  const { certificate } = await askServer(url, { ca, signal });
  const fix = "The coordinator renews it while it runs: look into its log, `nexus logs`.";
  return certificate === undefined ? [] : [certificateFinding(certificate, { subject: "certificate", fix, warnBelow: 0.25 })];
}

function versionFinding(url: string, version: string): Finding {
  if (version === SOFTWARE_VERSION) return good("coordinator", `${url} answers, version ${version}`);
  return warning(
    "coordinator",
    `${url} is of version ${version}, these commands of ${SOFTWARE_VERSION}`,
    "Install one version on both; what both know works.",
  );
}

/** Whether the port that `nexus up` takes by default is free. */
async function checkPort(): Promise<Finding> {
  const server = createServer();
  const failure = await new Promise<string | undefined>((resolve) => {
    server.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    server.listen(DEFAULT_PORT, "127.0.0.1", () => resolve(undefined));
  });
  await new Promise((resolve) => server.close(resolve));
  return failure === undefined
    ? good("port", `${DEFAULT_PORT} is free`)
    : warning("port", `${DEFAULT_PORT} cannot be used (${failure})`, "Stop what uses it, or start the coordinator with `nexus up --port`.");
}
