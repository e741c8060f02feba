import { importSigningKey, type SigningKey } from "@ciphernx/crypto/keys";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { RosterAct, RosterEntry } from "./acts.ts";
import { rosterEntryHash, signRosterEntry } from "./entry.ts";
import { extendsHead, keyAt, nodesAt, wasMember } from "./membership.ts";
import { readRoster, type Roster } from "./roster.ts";
import { ROSTER_SEEDS, ROSTER_VECTORS } from "./roster.vectors.ts";

const hex = (key: SigningKey): string => Buffer.from(key.publicKey).toString("hex");
const keyOf = (byte: number): Promise<SigningKey> => importSigningKey(new Uint8Array(32).fill(byte));
const AT = "2029-01-02T00:00:00.000Z";

let a: SigningKey, b: SigningKey, nextA: SigningKey, invitation: SigningKey, node: SigningKey, stranger: SigningKey;
beforeAll(async () => {
  const { clinicA, clinicB, nextOfClinicA } = ROSTER_SEEDS;
  [a, b, nextA] = await Promise.all([keyOf(clinicA), keyOf(clinicB), keyOf(nextOfClinicA)]);
  [invitation, node, stranger] = await Promise.all([keyOf(ROSTER_SEEDS.invitation), keyOf(ROSTER_SEEDS.node), keyOf(99)]);
});

const vectors = (count: number): object[] => ROSTER_VECTORS.slice(0, count).map(({ entry }) => entry);
/** clinic-a and clinic-b, and clinic-b's node ash. */
const populated = (): Promise<Roster> => readRoster(vectors(4));

/** The roster with one more entry. */
async function said(roster: Roster | undefined, act: RosterAct, keys: readonly SigningKey[], change: Partial<RosterEntry> = {}): Promise<Roster> {
  return readRoster([{ ...(await signRosterEntry(roster, act, { keys, at: AT })), ...change }], roster);
}

describe("the published entries", () => {
  it("are signed and linked as they say", async () => {
    const roster = await readRoster(vectors(ROSTER_VECTORS.length));
    expect(roster.hashes).toEqual(ROSTER_VECTORS.map(({ hash }) => hash));
    expect(roster).toMatchObject({ version: 7, founder: "clinic-a", project: "prj_0123456789abcdefghjk" });
    expect([...roster.organisations.keys()]).toEqual(["clinic-a"]);
    expect(roster.organisations.get("clinic-a")!.key).toBe(hex(nextA));
    expect([...roster.nodes.keys()]).toEqual([]);
  });

  it("are made anew, byte by byte", async () => {
    const roster = await readRoster(vectors(3));
    const act = { kind: "node-added", organisation: "clinic-b", node: "ash", key: hex(node) } as const;
    const entry = await signRosterEntry(roster, act, { keys: [b], at: "2029-01-01T00:00:03.000Z" });
    expect(entry).toEqual(ROSTER_VECTORS[3]!.entry);
    expect(rosterEntryHash(entry)).toBe(ROSTER_VECTORS[3]!.hash);
  });

  it("are the same read at once or one after the other", async () => {
    let roster: Roster | undefined;
    for (const entry of vectors(7)) roster = await readRoster([entry], roster);
    expect(roster).toEqual(await readRoster(vectors(7)));
  });
});

describe("what was", () => {
  it("is told by version", async () => {
    const roster = await readRoster(vectors(7));
    expect([...nodesAt(roster, 4).values()]).toMatchObject([{ name: "ash", organisation: "clinic-b", version: 4, until: 6 }]);
    expect([...nodesAt(roster, 3).keys(), ...nodesAt(roster, 6).keys()]).toEqual([]);
    const clinicA = roster.organisations.get("clinic-a")!;
    expect([keyAt(clinicA, 4), keyAt(clinicA, 5), keyAt(clinicA, 0)]).toEqual([hex(a), hex(nextA), undefined]);
    expect([wasMember(clinicA, 1), wasMember(undefined, 7)]).toEqual([true, false]);
    expect(extendsHead(roster, { version: 4, hash: ROSTER_VECTORS[3]!.hash })).toBe(true);
    expect(extendsHead(roster, { version: 4, hash: ROSTER_VECTORS[2]!.hash })).toBe(false);
    expect(extendsHead(roster, { version: 8, hash: ROSTER_VECTORS[2]!.hash })).toBe(false);
  });
});

describe("a coordinator that is not honest", () => {
  it("cannot change, leave out, swap or repeat an entry", async () => {
    const entries = vectors(7);
    for (let at = 0; at < entries.length - 1; at += 1) {
      await expect(readRoster(entries.toSpliced(at, 1))).rejects.toMatchObject({ code: "ROSTER_INVALID", details: { version: at + 1 } });
      await expect(readRoster(entries.toSpliced(at, 2, entries[at + 1]!, entries[at]!))).rejects.toMatchObject({ code: "ROSTER_INVALID" });
      await expect(readRoster(entries.toSpliced(at, 0, entries[at]!))).rejects.toMatchObject({ code: "ROSTER_INVALID" });
    }
  });

  it("cannot change a byte of one", async () => {
    const entries = vectors(7);
    await fc.assert(
      fc.asyncProperty(fc.nat(6), fc.nat(), fc.integer({ min: 1, max: 127 }), async (at, place, change) => {
        const text = JSON.stringify(entries[at]);
        const index = place % text.length;
        const changed = text.slice(0, index) + String.fromCharCode((text.charCodeAt(index) + change) % 128) + text.slice(index + 1);
        let entry: unknown;
        try {
          entry = JSON.parse(changed);
        } catch {
          return; // no JSON any more
        }
        if (JSON.stringify(entry) === text) return;
        await expect(readRoster(entries.toSpliced(at, 1, entry as object))).rejects.toMatchObject({ code: "ROSTER_INVALID" });
      }),
      { numRuns: 150 },
    );
  });

  it("cannot add a party: neither unsigned, nor by a key of its own, nor by the key of another", async () => {
    const roster = await populated();
    const act = { kind: "node-added", organisation: "clinic-b", node: "sybil", key: hex(stranger) } as const;
    await expect(said(roster, act, [b], { signatures: [] })).rejects.toMatchObject({ code: "ROSTER_INVALID" });
    await expect(said(roster, act, [stranger])).rejects.toThrow(/has to be signed by/);
    await expect(said(roster, act, [a])).rejects.toThrow(/has to be signed by/);
    const forged = [{ key: hex(b), signature: "00".repeat(64) }];
    await expect(said(roster, act, [b], { signatures: forged })).rejects.toThrow(/not over this entry/);
    // The signature of another entry by the right key.
    const other = await signRosterEntry(roster, { ...act, node: "elm" }, { keys: [b], at: AT });
    await expect(said(roster, act, [b], { signatures: other.signatures })).rejects.toThrow(/not over this entry/);
    expect((await said(roster, act, [b])).nodes.has("sybil")).toBe(true);
  });

  it("cannot add an organisation without the invitation's secret, nor use an invitation twice, late, or for another name", async () => {
    const invited = await readRoster(vectors(2));
    const joins = (organisation: string, keys: readonly SigningKey[], from = invited, change: Partial<RosterEntry> = {}) =>
      said(from, { kind: "joined", organisation, key: hex(keys.at(-1)!), invitation: hex(invitation) }, keys, change);
    await expect(joins("clinic-b", [stranger, stranger])).rejects.toThrow(/has to be signed by/);
    await expect(joins("clinic-c", [invitation, stranger])).rejects.toThrow(/is for "clinic-b"/);
    const late = await signRosterEntry(
      invited,
      { kind: "joined", organisation: "clinic-b", key: hex(b), invitation: hex(invitation) },
      { keys: [invitation, b], at: "2031-01-01T00:00:00.000Z" },
    );
    await expect(readRoster([late], invited)).rejects.toThrow(/the invitation ended on/);
    const joined = await joins("clinic-b", [invitation, b]);
    await expect(joins("clinic-b", [invitation, stranger], joined)).rejects.toThrow(/no open invitation/);
  });

  it("cannot begin another roster in the middle, or without a founder", async () => {
    const founded = { kind: "founded", project: "prj_x", organisation: "evil", key: hex(stranger) } as const;
    await expect(said(await populated(), founded, [stranger])).rejects.toThrow(/founded once/);
    await expect(said(undefined, { kind: "node-removed", organisation: "evil", node: "n" }, [stranger])).rejects.toThrow(/begins with its founder/);
    await expect(readRoster([])).rejects.toMatchObject({ code: "ROSTER_INVALID" });
    await expect(readRoster([null])).rejects.toMatchObject({ code: "ROSTER_INVALID" });
  });
});

describe("a member that is not honest", () => {
  it.each<[string, (roster: Roster) => Promise<Roster>, RegExp]>([
    [
      "takes another's node away",
      (r) => said(r, { kind: "node-removed", organisation: "clinic-a", node: "ash" }, [a]),
      /"clinic-a" has no node "ash"/,
    ],
    [
      "signs for another's node",
      (r) => said(r, { kind: "node-added", organisation: "clinic-a", node: "elm", key: hex(node) }, [a]),
      /is that of the node ash/,
    ],
    [
      "takes another's name",
      (r) => said(r, { kind: "node-added", organisation: "clinic-a", node: "ash", key: hex(stranger) }, [a]),
      /is on the roster already/,
    ],
    [
      "takes an organisation's key for a node",
      (r) => said(r, { kind: "node-added", organisation: "clinic-b", node: "x", key: hex(a) }, [b]),
      /the organisation clinic-a/,
    ],
    [
      "removes the founder",
      (r) => said(r, { kind: "organisation-removed", organisation: "clinic-a", by: "clinic-b" }, [b]),
      /founder cannot be removed/,
    ],
    ["rotates to a key that was there", (r) => said(r, { kind: "key-rotated", organisation: "clinic-b", key: hex(a) }, [b, a]), /already, or was/],
    [
      "rotates without the new key's signature",
      (r) => said(r, { kind: "key-rotated", organisation: "clinic-b", key: hex(stranger) }, [b]),
      /has to be signed by/,
    ],
    [
      "invites under a name that is taken",
      (r) => said(r, { kind: "invited", by: "clinic-b", organisation: "clinic-a", invitation: hex(stranger), until: AT }, [b]),
      /already, or was/,
    ],
  ])("%s: refused", async (_, act, message) => {
    await expect(act(await populated())).rejects.toThrow(message);
  });

  it("has no say after it was removed, and its name and keys stay used", async () => {
    const roster = await readRoster(vectors(7));
    const act = { kind: "node-added", organisation: "clinic-b", node: "ash", key: hex(node) } as const;
    await expect(said(roster, act, [b])).rejects.toThrow(/no organisation of the roster/);
    const invites = { kind: "invited", by: "clinic-a", organisation: "clinic-b", invitation: hex(stranger), until: AT } as const;
    await expect(said(roster, invites, [nextA])).rejects.toThrow(/already, or was/);
    const mine = { kind: "node-added", organisation: "clinic-a", node: "oak", key: hex(node) } as const;
    await expect(said(roster, mine, [nextA])).rejects.toThrow(/that of the node ash/);
  });

  it("cannot use a key that it rotated away", async () => {
    const roster = await readRoster(vectors(5));
    await expect(said(roster, { kind: "node-added", organisation: "clinic-a", node: "oak", key: hex(stranger) }, [a])).rejects.toThrow(
      /has to be signed/,
    );
  });
});

describe("a node that left", () => {
  it("comes back under its name with the key that it had, or a fresh one", async () => {
    const left = await readRoster(vectors(6));
    const back = (key: SigningKey) => said(left, { kind: "node-added", organisation: "clinic-b", node: "ash", key: hex(key) }, [b]);
    expect((await back(node)).nodes.get("ash")).toMatchObject({ version: 7, key: hex(node) });
    expect((await back(stranger)).nodes.get("ash")).toMatchObject({ version: 7, key: hex(stranger) });
  });
});

describe("a roster that is read on", () => {
  it("leaves the one before as it was, also when the next entry is refused", async () => {
    const before = await populated();
    const copy = structuredClone(before);
    await said(before, { kind: "node-removed", organisation: "clinic-b", node: "ash" }, [b]);
    await expect(said(before, { kind: "node-removed", organisation: "clinic-b", node: "ash" }, [a])).rejects.toMatchObject({
      code: "ROSTER_INVALID",
    });
    expect(before).toEqual(copy);
  });
});
