import { runNexus } from "../testing/nexus-process.ts";
import type { Finding } from "./finding.ts";

interface Envelope {
  readonly data?: { readonly findings: readonly Finding[] };
  readonly error?: { readonly code: string; readonly message: string; readonly details: { readonly findings: readonly Finding[] } };
}

/** What the doctor says of a machine with this data folder. */
export async function findingsOf(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout } = await runNexus(["doctor", "--json", ...args], { env });
  const { data, error } = JSON.parse(stdout) as Envelope;
  const findings = (data ?? error!.details).findings;
  return { code, error, of: (subject: string) => findings.filter((finding) => finding.subject === subject) };
}
