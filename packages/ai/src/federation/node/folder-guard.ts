import { NexusError } from "@ciphernx/core/errors";
import { extendsHead, nodesAt, type RosterHead, wasMember } from "@ciphernx/core/roster";
import { dayOf } from "../../data/index.ts";
import { descriptorPath, readDescriptor } from "../../data/node/descriptor-file.ts";
import { folderApprovals } from "./approvals-folder.ts";
import { brokenTerms, type TermFacts } from "./broken-terms.ts";
import type { AskedTask, DatasetGuard } from "./dataset-guard.ts";
import { logDecision, rotateDecisions } from "./decision-log.ts";

export interface FolderGuardOptions {
  /** The node's folder, with descriptors and approvals. */
  readonly folder: string;
  /** What the rows of a dataset of the folder are, and how many of them are learnt from and held out. */
  facts(dataset: string): Promise<Pick<TermFacts, "schema" | "trainExamples" | "testExamples">>;
}

/**
 * Goes by the terms in the descriptors of a node's folder and by the approvals beside them, as they are at each task: whoever changes
 * them need not restart the node. Refusals are logged in the folder.
 */
export function folderGuard({ folder, facts }: FolderGuardOptions): DatasetGuard {
  const approvals = folderApprovals(folder);

  async function refusal(asked: AskedTask): Promise<NexusError | undefined> {
    const { spec, specHash, runId, party } = asked;
    const { dataset } = spec.data;
    const { terms } = await readDescriptor(descriptorPath(folder, dataset));
    if (terms === undefined) return undefined;
    // It becomes part of a command that a person is told to run.
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(runId)) {
      return new NexusError("MESSAGE_INVALID", `The task names the run ${JSON.stringify(runId.slice(0, 128))}, which is no id.`);
    }
    const today = dayOf(new Date());
    const broken = brokenTerms(terms, asked, { today, ...(await facts(dataset)) });
    if (broken.length > 0) {
      const list = broken.map(({ term, asked, allowed }) => `${term}: it asks for ${asked}, the owner allows ${allowed}`).join("; ");
      return new NexusError("TERMS_REFUSED", `The terms of "${dataset}" at ${party} refuse the run. ${list}.`, {
        details: { dataset, broken, specHash, run: runId },
        hint: `Change the spec to what is allowed and start it anew; or the owner changes the terms: \`nexus dataset terms ${dataset} --folder ${word(folder)} --set FILE\`, then \`nexus run resume ${runId}\`.`,
      });
    }
    if (terms.runs === "any") return undefined;
    const approval = await approvals.read(dataset, specHash);
    const until = approval?.until;
    const holds = approval !== undefined && (until === undefined || today <= until);
    const late = holds ? joinedSince(asked, approval.roster) : undefined;
    if (holds && late === undefined) return undefined;
    const why = late ?? (until === undefined ? "is not approved" : `was approved until ${until}`);
    return new NexusError("APPROVAL_REQUIRED", `The owner of "${dataset}" at ${party} approves each run, and spec ${specHash} ${why}.`, {
      details: { dataset, specHash, run: runId },
      hint: `\`nexus dataset approve ${dataset} --folder ${word(folder)} --run ${specHash}\` on this machine approves it; then \`nexus run resume ${runId}\` goes on.`,
    });
  }

  return {
    async admit(asked) {
      const refused = await refusal(asked);
      if (refused === undefined) return;
      const { code, message: reason } = refused;
      const { specHash, runId: run, round } = asked;
      try {
        rotateDecisions(folder);
        await logDecision(folder, { act: "refused", dataset: asked.spec.data.dataset, specHash, run, round, code, reason });
      } catch (cause) {
        const { details } = refused;
        throw new NexusError(code, `${reason} The node could not log it: ${String(cause)}`, { hint: refused.hint, details, cause });
      }
      throw refused;
    },
  };
}

/** Who takes part in a run but was not on the roster that the owner saw, in words; undefined when everybody was. */
function joinedSince({ roster, parties = [], startedBy }: AskedTask, approved: RosterHead | undefined): string | undefined {
  if (roster === undefined) return undefined;
  if (approved === undefined) return "was approved before this node had seen the roster";
  if (!extendsHead(roster, approved)) return `was approved with another roster (entry ${approved.version})`;
  const seen = nodesAt(roster, approved.version);
  const late = parties.filter(({ name }) => !seen.has(name)).map(({ name }) => name);
  if (startedBy !== undefined && !wasMember(roster.organisations.get(startedBy), approved.version)) late.push(`${startedBy}, which starts it`);
  return late.length === 0 ? undefined : `was approved when these were not on the roster: ${late.join(", ")}`;
}

/** A path as one word of a shell's line. */
function word(path: string): string {
  return /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
