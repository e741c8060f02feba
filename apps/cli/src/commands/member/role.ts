import { NexusError } from "@ciphernx/core/errors";
import { isRole, ROLES } from "@ciphernx/core/identity";
import { argument, defineCommand } from "../../command.ts";
import { memberData } from "../../views/members.ts";

export const memberRole = defineCommand({
  name: "role",
  summary: "Change what a member may do, at once",
  details: "What the member's browser waits for under the old role ends. The last owner stays one.",
  arguments: {
    member: argument("<member>", "e-mail address or id"),
    role: argument("<role>", `what the member may do from now on (${ROLES.join(", ")})`),
  },
  examples: [{ command: "nexus member role anna@clinic.example owner" }],
  async action({ args, output, withNexus }) {
    const { role } = args;
    if (!isRole(role)) throw new NexusError("USAGE", `"${role}" is not a role.`, { hint: `The roles are ${ROLES.join(", ")}.` });
    await withNexus(async (nexus) => {
      const member = await nexus.members.setRole(args.member, role);
      output.result({ data: { member: memberData(member) }, text: `${member.name} (${member.email}) is ${member.role} now.`, ids: [member.id] });
    });
  },
});
