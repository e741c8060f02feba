import { NexusError, plural } from "@ciphernx/core/errors";
import { defineCommand, text, texts } from "../../command.ts";

export const auditVerify = defineCommand({
  name: "verify",
  summary: "Tell whether the audit log is whole, and what nodes have seen of it",
  details:
    "Each event is linked to the one before; every node keeps signed heads of the log in its folder, with which the coordinator cannot have it rewritten. Name the folders of nodes that you trust, on any machine. Exits with 1 when an event was changed, is missing or was rewritten, and names it.",
  options: {
    file: text("--file <file>", "an export to look at instead of the coordinator's log"),
    heads: texts("--heads <folder...>", "folders of nodes, whose heads the log is held against"),
  },
  examples: [
    { command: "nexus audit verify --heads ./clinic-a ./clinic-b" },
    { command: "nexus audit verify --file audit.jsonl --heads ./clinic-a", about: "without a coordinator" },
  ],
  async action({ options: { file, heads: folders }, output, withNexus }) {
    const [{ verifyAudit }, { keptHeads }] = await Promise.all([import("@ciphernx/core/audit"), import("../../audit/kept-heads.ts")]);
    const heads = (await Promise.all(folders.map(keptHeads))).flat();
    const events =
      file === undefined
        ? await withNexus((nexus) => Array.fromAsync(nexus.audit.events()))
        : await (await import("../../audit/read-export.ts")).readExport(file);
    const verdict = verifyAudit(events, heads);
    const { findings, vouchedFor, last } = verdict;
    const keepers = new Set(heads.map(({ keeper }) => keeper)).size;
    if (findings.length > 0) {
      throw new NexusError("AUDIT_BROKEN", `The audit log is not whole:\n${findings.map((found) => `  ${found.text}`).join("\n")}`, {
        details: { findings, vouchedFor, last },
      });
    }
    const vouched =
      heads.length === 0
        ? " Nobody vouches for it: --heads names folders of nodes, whose heads would show a log that was made anew."
        : ` ${plural(heads.length, "head")} of ${plural(keepers, "node")} vouch for it up to event ${vouchedFor}.`;
    output.result({
      data: { ...verdict, heads: heads.length },
      text: `${plural(last, "event")}, each linked to the one before.${vouched}`,
      ids: [String(last)],
    });
  },
});
