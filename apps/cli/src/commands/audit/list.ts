import { defineCommand, text } from "../../command.ts";
import { formatAuditEvents } from "../../views/audit.ts";

export const auditList = defineCommand({
  name: "list",
  summary: "Show what was decided, by whom and when",
  details: "For owners and auditors. `nexus audit verify` tells whether it is what happened.",
  options: {
    action: text("--action <word>", "such events alone, such as run-started"),
    actor: text("--actor <who>", 'of that one alone, such as owner or "organisation clinic-a"'),
    since: text("--since <time>", "from then on, such as 2027-01-31T00:00:00Z"),
  },
  examples: [{ command: "nexus audit list" }, { command: "nexus audit list --action run-started --since 2027-01-01T00:00:00Z" }],
  async action({ options: { action, actor, since }, output, withNexus }) {
    await withNexus(async (nexus) => {
      const query = {
        ...(action === undefined ? {} : { action }),
        ...(actor === undefined ? {} : { actor }),
        ...(since === undefined ? {} : { since }),
      };
      const events = await Array.fromAsync(nexus.audit.events(query));
      output.result({ data: { events }, text: formatAuditEvents(events), ids: events.map(({ number }) => String(number)) });
    });
  },
});
