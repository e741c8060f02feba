// Writes docs/errors.md from the error catalogue: npm run docs
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { ERROR_CATALOGUE, type ErrorEntry, EXIT } from "@ciphernx/core/errors";

/** Where the page lies. */
export const ERRORS_PAGE = new URL("../docs/errors.md", import.meta.url);

const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "done",
  failed: "it could not be done",
  usage: "the command, or the run spec, has no meaning as it is written",
  timeout: "it did not end in the time it was given",
  connection: "no coordinator answers, or it does not let the caller in",
  internal: "a defect of the program",
  interrupted: "stopped by whoever started it",
};

/** The reference page of every error code, its exit code and its RPC status. */
export function errorsPage(): string {
  const codes = Object.entries<ErrorEntry>(ERROR_CATALOGUE).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const exits = (Object.keys(EXIT) as (keyof typeof EXIT)[]).map((name) => `| ${EXIT[name]} | ${EXIT_MEANINGS[name]} |`);
  return `# Errors

<!-- Written by scripts/errors-page.ts from the catalogue in packages/core/src/errors/catalogue; do not edit. -->

Every error has a code from one catalogue. With \`--json\` a command prints it as
\`{"schemaVersion":1,"status":"error","error":{"code","message","hint","docs"}}\`; over RPC it travels with the status named here.

| exit code | meaning |
|---|---|
${exits.join("\n")}

${codes.map(([code, entry]) => section(code, entry)).join("\n")}`;
}

function section(code: string, { meaning, hint, exit, rpc, retryable }: ErrorEntry): string {
  const again = retryable === true ? " · the same call may succeed later" : "";
  return `## ${code}

${meaning}

${hint}

Exit code ${exit} · RPC status \`${rpc}\`${again}
`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) writeFileSync(ERRORS_PAGE, errorsPage());
