import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRoster, type Roster, type RosterAct, signRosterEntry } from "@ciphernx/core/roster";
import { generateSigningKey, type SigningKey } from "@ciphernx/crypto/keys";
import { RosterService } from "@ciphernx/protocol/proto";
import type { Transport } from "@ciphernx/protocol/wire";
import { createRouterTransport } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { folderRoster } from "./node-roster.ts";
import { readKeptRoster, writeAnchor } from "./roster-anchor.ts";

const hex = (key: SigningKey): string => Buffer.from(key.publicKey).toString("hex");

let folder: string;
let own: SigningKey, evil: SigningKey, node: SigningKey;
let roster: Roster;

async function said(before: Roster | undefined, act: RosterAct, ...keys: readonly SigningKey[]): Promise<Roster> {
  return readRoster([await signRosterEntry(before, act, { keys, at: new Date().toISOString() })], before);
}

/** What a coordinator shows that has these entries, honest or not. */
function showing(entries: Roster["entries"]): Pick<Transport, "rpc"> {
  const rpc = createRouterTransport(({ service }) => {
    service(RosterService, {
      readRoster: ({ after }) => ({ entries: entries.slice(after).map((entry) => JSON.stringify(entry)) }),
      appendEntry: () => ({}),
    });
  });
  return { rpc };
}

const open = async () => (await folderRoster(folder, { key: node }))!;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-roster-"));
  [own, evil, node] = (await Promise.all(Array.from({ length: 3 }, generateSigningKey))) as [SigningKey, SigningKey, SigningKey];
  roster = await said(undefined, { kind: "founded", project: "prj_1", organisation: "clinic-a", key: hex(own) }, own);
  roster = await said(roster, { kind: "node-added", organisation: "clinic-a", node: "ash", key: hex(node) }, own);
  await writeAnchor(folder, { organisation: "clinic-a", key: hex(own), project: "prj_1" });
});
afterEach(() => rm(folder, { recursive: true }));

describe("the roster that a node goes by", () => {
  it("is none where nobody said whose node it is", async () => {
    await rm(join(folder, "organisation.json"));
    expect(await folderRoster(folder, { key: node })).toBeUndefined();
  });

  it("is kept, goes on from there, and is asked for when a plan names a later entry", async () => {
    const first = await (await open()).follow(showing(roster.entries));
    expect(first.hash).toBe(roster.hash);
    expect((await readKeptRoster(folder))?.hash).toBe(roster.hash);
    const longer = await said(roster, { kind: "node-added", organisation: "clinic-a", node: "elm", key: hex(evil) }, own);
    const again = await open();
    expect((await again.follow(showing(roster.entries))).version).toBe(2);
    expect((await again.follow(showing(longer.entries), longer)).version).toBe(3);
    // Known by now: nobody is asked.
    expect((await again.follow(showing([]), roster)).version).toBe(3);
  });

  it("is not that of a coordinator with organisations of its own", async () => {
    let made = await said(undefined, { kind: "founded", project: "prj_1", organisation: "clinic-a", key: hex(evil) }, evil);
    made = await said(made, { kind: "node-added", organisation: "clinic-a", node: "ash", key: hex(node) }, evil);
    await expect((await open()).follow(showing(made.entries))).rejects.toMatchObject({ code: "NOT_ON_ROSTER" });
    expect(await readKeptRoster(folder)).toBeUndefined();
  });

  it("is not that of another project, though all signatures are right", async () => {
    const other = await said(undefined, { kind: "founded", project: "prj_2", organisation: "clinic-a", key: hex(own) }, own);
    await expect((await open()).follow(showing(other.entries))).rejects.toMatchObject({ code: "ROSTER_FORKED" });
  });

  it("does not fork: another entry in the place of one that was seen is refused, also after a restart", async () => {
    const elm = await said(roster, { kind: "node-added", organisation: "clinic-a", node: "elm", key: hex(evil) }, own);
    const oak = await said(roster, { kind: "node-added", organisation: "clinic-a", node: "oak", key: hex(evil) }, own);
    const further = await said(oak, { kind: "node-removed", organisation: "clinic-a", node: "oak" }, own);
    await (await open()).follow(showing(elm.entries));
    const restarted = await open();
    await expect(restarted.follow(showing(oak.entries), oak)).rejects.toMatchObject({ code: "ROSTER_FORKED" });
    await expect(restarted.follow(showing(further.entries), further)).rejects.toMatchObject({ code: "ROSTER_INVALID" });
  });

  it("does not go back, nor pretend to be longer than it is", async () => {
    await (await open()).follow(showing(roster.entries));
    const restarted = await open();
    expect((await restarted.follow(showing(roster.entries.slice(0, 1)))).version).toBe(2);
    await expect(restarted.follow(showing(roster.entries), { version: 9, hash: roster.hash })).rejects.toMatchObject({ code: "ROSTER_FORKED" });
  });

  it("knows its organisation through rotations of its key, and no longer once it left", async () => {
    const rotated = await said(roster, { kind: "key-rotated", organisation: "clinic-a", key: hex(evil) }, own, evil);
    expect((await (await open()).follow(showing(rotated.entries))).version).toBe(3);
    await writeAnchor(folder, { organisation: "clinic-b", key: hex(evil), project: "prj_1" });
    await expect((await open()).follow(showing(rotated.entries))).rejects.toThrow(/"clinic-b", whose node this is, is not on the roster/);
  });

  it("is told when its files are damaged", async () => {
    await (await open()).follow(showing(roster.entries));
    const path = join(folder, "roster.json");
    await writeFile(path, (await readFile(path, "utf8")).replace('"ash"', '"elm"'));
    await expect(open()).rejects.toMatchObject({ code: "NODE_FOLDER_INVALID" });
    await writeFile(join(folder, "organisation.json"), "{}");
    await expect(open()).rejects.toMatchObject({ code: "NODE_FOLDER_INVALID" });
  });
});
