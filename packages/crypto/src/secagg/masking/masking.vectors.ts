/**
 * Test vectors of masking, for implementations in other languages. Nobody has published any for this construction; these were made by the slow reference in
 * `test/slow-reference.ts`, which shares no code with the room, and the tests hold both to them.
 *
 * Party 1 of three masks a vector of eleven coordinates with its self mask, the mask that it shares with party 0, which it subtracts, and the one that it shares with
 * party 2, which it adds.
 */
export const CONTEXT = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/** The seed of the self mask, and the secrets shared with party 0 and party 2: 32 equal bytes each. */
export const SEEDS = { self: "b1".repeat(32), withParty0: "01".repeat(32), withParty2: "12".repeat(32) } as const;

/** Of the mask of parties 1 and 2. */
export const KEYS = {
  prk: "0ff4614bab5514ba390647c72b49eb4fdc335dc277787ba92394e1c834ff064d",
  chunks: [
    { key: "0cbb8c30e77a5f4198dd27d624295d4b", counterBlock: "9e98515b174c561fcf37e5a5a0d13589" },
    { key: "63f70d0cbb15ae0b2248edc838520a2a", counterBlock: "54d1591194566e139f0517e6faef6952" },
  ],
} as const;

/** Packed masked vectors in the smallest ring for three parties. */
export const MASKED = [
  {
    dtype: "I8",
    most: 127,
    bits: 10,
    wordBytes: 2,
    vector: [0, 1, -1, 127, -127, 5, -6, 7, -8, 99, -100],
    packed: "2e3b5368557bd7e25ddea7614b28",
  },
  {
    dtype: "I16",
    most: 32_767,
    bits: 18,
    wordBytes: 4,
    vector: [0, 1, -1, 32_767, -32_767, 5, -6, 7, -8, 999, -1000],
    packed: "2e3f1eda973fc478cbb069b49bf9170521af1a648eee9a5126",
  },
  {
    dtype: "I32",
    most: 2_147_483_647,
    bits: 34,
    wordBytes: 8,
    vector: [0, 1, -1, 2_147_483_647, -2_147_483_647, 5, -6, 7, -8, 99_999, -100_000],
    packed: "2e3fce30ef0fc142e19a4ee71c611445982364beff1ba4c9f8112859c5fc695588f47737157a7779b1b961af42cf04",
  },
] as const;
