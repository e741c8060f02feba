import { createPool, databaseError, endPool, locatePackage } from "@ciphernx/core/store";
import { toNexusError } from "@ciphernx/core/errors";
import { type Check, good, problem } from "../finding.ts";

const ANSWER_TIMEOUT_MS = 5_000;

/** What a coordinator keeps its rows in: the PostgreSQL that came with the installation, or the server that DATABASE_URL names. */
export const checkDatabase: Check = async ({ env }) => {
  const url = env["DATABASE_URL"];
  if (url !== undefined && url !== "") return [await checkServer(url)];
  try {
    const { version } = await locatePackage();
    return [good("database", `PostgreSQL ${version}, which comes with the installation`)];
  } catch (error) {
    const { message, hint } = toNexusError(error);
    return [problem("database", message, hint)];
  }
};

async function checkServer(databaseUrl: string) {
  const pool = createPool(databaseUrl, { max: 1, log: () => {} });
  try {
    const late = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const { rows } = await Promise.race([
      pool.query<{ version: string }>("select current_setting('server_version') as version"),
      new Promise<never>((_, reject) => late.addEventListener("abort", () => reject(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`)))),
    ]);
    return good("database", `PostgreSQL ${rows[0]?.version ?? ""} at DATABASE_URL`);
  } catch (error) {
    return problem(
      "database",
      `DATABASE_URL: ${databaseError(error).message}`,
      "Start that server, correct DATABASE_URL, or unset it to use the one that comes along.",
    );
  } finally {
    await endPool(pool, ANSWER_TIMEOUT_MS);
  }
}
