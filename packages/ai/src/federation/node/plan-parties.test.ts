import { create } from "@bufbuild/protobuf";
import { type ReadPlanPartiesResponse, ReadPlanPartiesResponseSchema, TaskSchema } from "@ciphernx/protocol/proto";
import { describe, expect, it } from "vitest";
import { partyTreeHead } from "../../spec/party-tree.ts";
import type { PlannedParty, TaskPlan } from "../../spec/index.ts";
import { createPlanParties } from "./plan-parties.ts";
import type { NodeSession } from "./session.ts";

const PAGE = 2;
const parties = ["ash", "birch", "elm", "fir", "oak"].map((name, index): PlannedParty => {
  return { name, trainExamples: 10 + index, testExamples: 1, contentHash: String(index).repeat(64) };
});
const planOf = (list: readonly PlannedParty[]) => ({ planHash: "a".repeat(64), partyTree: partyTreeHead(list) }) as TaskPlan;
const task = create(TaskSchema, { taskId: "task_1" });

/** A session whose coordinator answers with that list, in pages. */
function coordinatorWith(list: readonly PlannedParty[]) {
  const asked: number[] = [];
  const readPlanParties = ({ after }: { readonly after: number }): Promise<ReadPlanPartiesResponse> => {
    asked.push(after);
    const page = list.slice(after, after + PAGE).map((party) => {
      return { ...party, trainExamples: BigInt(party.trainExamples), testExamples: BigInt(party.testExamples) };
    });
    return Promise.resolve(create(ReadPlanPartiesResponseSchema, { parties: page }));
  };
  const session = { call: (action: (client: unknown) => unknown) => action({ readPlanParties }) } as unknown as NodeSession;
  return { session, asked };
}

describe("the parties of a plan", () => {
  it("are read once, page by page", async () => {
    const { session, asked } = coordinatorWith(parties);
    const lists = createPlanParties();
    expect(await lists.of(session, task, planOf(parties))).toEqual(parties);
    expect(await lists.of(session, task, planOf(parties))).toEqual(parties);
    expect(asked).toEqual([0, 2, 4]);
  });

  it.each([
    ["one fewer", parties.slice(1)],
    ["none", []],
    ["one more", [...parties, { ...parties[0]!, name: "pine" }]],
    ["another order", parties.toReversed()],
    ["other rows of one", parties.with(2, { ...parties[2]!, trainExamples: 1 })],
    ["other data of one", parties.with(2, { ...parties[2]!, contentHash: "f".repeat(64) })],
    ["another name for one", parties.with(4, { ...parties[4]!, name: "sybil" })],
  ])("are refused when the coordinator shows %s", async (_, shown) => {
    const lists = createPlanParties();
    const refused = { code: "SPEC_INVALID", message: expect.stringContaining("other parties") as string };
    await expect(lists.of(coordinatorWith(shown).session, task, planOf(parties))).rejects.toMatchObject(refused);
    // What was refused is not kept.
    expect(await lists.of(coordinatorWith(parties).session, task, planOf(parties))).toEqual(parties);
  });

  it("end where the coordinator's list does not", async () => {
    const endless = Array.from({ length: 1_000 }, () => parties[0]!);
    const { session, asked } = coordinatorWith(endless);
    await expect(createPlanParties().of(session, task, planOf(parties))).rejects.toMatchObject({ code: "SPEC_INVALID" });
    expect(asked).toHaveLength(3);
  });
});
