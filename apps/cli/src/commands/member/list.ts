import { defineCommand } from "../../command.ts";
import { formatMembers, invitationData, memberData } from "../../views/members.ts";

export const memberList = defineCommand({
  name: "list",
  summary: "List the members of the project, and the invitations that are still good",
  examples: [{ command: "nexus member list" }, { command: "nexus member list --quiet", about: "ids of members alone, for a script" }],
  async action({ output, withNexus }) {
    await withNexus(async (nexus) => {
      const { members, invitations } = await nexus.members.list();
      const data = { members: members.map(memberData), invitations: invitations.map(invitationData) };
      output.result({ data, text: formatMembers(members, invitations, output.colours), ids: members.map(({ id }) => id) });
    });
  },
});
