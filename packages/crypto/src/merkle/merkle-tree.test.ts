import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isIncluded, merkleTree } from "./index.ts";

/** The entries and roots by which implementations of Certificate Transparency are tested (github.com/google/certificate-transparency, merkle_tree_test). */
const ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map((hex) => hexToBytes(hex));
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
/** Of the same test: index, size, proof. */
const PROOFS = [
  [0, 1, []],
  [
    0,
    8,
    [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  ],
  [
    5,
    8,
    [
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  ],
  [2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]],
  [
    1,
    5,
    [
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  ],
] as const;

describe("published vectors", () => {
  it.each(ROOTS.map((root, size) => [size, root] as const))("root of %i entries", (size, root) => {
    expect(bytesToHex(merkleTree(ENTRIES.slice(0, size)).root)).toBe(root);
  });

  it.each(PROOFS)("proof of entry %i of %i", (index, size, proof) => {
    expect(merkleTree(ENTRIES.slice(0, size)).proof(index).map(bytesToHex)).toEqual(proof);
    const inclusion = { entry: ENTRIES[index]!, index, size, root: hexToBytes(ROOTS[size]!), proof: proof.map((hash) => hexToBytes(hash)) };
    expect(isIncluded(inclusion)).toBe(true);
  });
});

describe("a proof", () => {
  const lists = fc.integer({ min: 1, max: 70 }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)));
  const entriesOf = (size: number) => Array.from({ length: size }, (_, i) => utf8ToBytes(`entry ${i}`));
  const inclusionOf = ([size, index]: readonly [number, number]) => {
    const entries = entriesOf(size);
    const tree = merkleTree(entries);
    return { entry: entries[index]!, index, size, root: tree.root, proof: tree.proof(index) };
  };

  it("shows every entry of every list in its place", () => {
    fc.assert(fc.property(lists, (list) => isIncluded(inclusionOf(list))));
  });

  it("shows no other entry, no other place, and nothing once a bit of it is another", () => {
    fc.assert(
      fc.property(lists, fc.nat(), fc.nat(255), (list, place, bit) => {
        const inclusion = inclusionOf(list);
        const { index, size, proof, root } = inclusion;
        expect(isIncluded({ ...inclusion, entry: utf8ToBytes("entry -1") })).toBe(false);
        const other = place % size;
        if (other !== index) expect(isIncluded({ ...inclusion, index: other })).toBe(false);
        const changed = (hash: Uint8Array) => hash.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(isIncluded({ ...inclusion, root: changed(root) })).toBe(false);
        if (proof.length > 0) {
          const at = place % proof.length;
          expect(isIncluded({ ...inclusion, proof: proof.with(at, changed(proof[at]!)) })).toBe(false);
          expect(isIncluded({ ...inclusion, proof: proof.toSpliced(at, 1) })).toBe(false);
        }
        expect(isIncluded({ ...inclusion, proof: [...proof, root] })).toBe(false);
      }),
    );
  });

  it("passes no inner node off for an entry", () => {
    const tree = merkleTree(ENTRIES.slice(0, 4));
    const [, right] = tree.proof(0);
    const inner = Uint8Array.of(...tree.proof(1)[0]!, ...tree.proof(0)[0]!);
    expect(isIncluded({ entry: inner, index: 0, size: 2, root: tree.root, proof: [right!] })).toBe(false);
  });

  it.each([
    [-1, 4],
    [4, 4],
    [0.5, 4],
    [0, 0],
    [0, Number.NaN],
    [Number.NaN, 4],
    [0, 2 ** 40],
  ])("is none at place %d of %d", (index, size) => {
    const tree = merkleTree(ENTRIES.slice(0, 4));
    expect(isIncluded({ entry: ENTRIES[0]!, index, size, root: tree.root, proof: tree.proof(0) })).toBe(false);
    if (size === 4) expect(() => tree.proof(index)).toThrow(RangeError);
  });
});
