import { argument, defineCommand } from "../../command.ts";
import { invitationData, memberData } from "../../views/members.ts";

export const memberRemove = defineCommand({
  name: "remove",
  summary: "End a membership with its sessions, or take an invitation back",
  details: "API tokens are no part of it: `nexus token list` shows those.",
  arguments: { member: argument("<member>", "e-mail address or id of a member, or id of an invitation") },
  examples: [{ command: "nexus member remove anna@clinic.example --yes" }],
  async action({ args, confirm, output, withNexus }) {
    await confirm(`Remove ${args.member} from the project?`);
    await withNexus(async (nexus) => {
      const removed = await nexus.members.remove(args.member);
      const isMember = removed.$typeName === "ciphernx.control.v1.Member";
      output.result({
        data: isMember ? { member: memberData(removed) } : { invitation: invitationData(removed) },
        text: isMember ? `Removed ${removed.name} (${removed.email}).` : `Took the invitation ${removed.id} back.`,
        ids: [removed.id],
      });
    });
  },
});
