/**
 * Vectors for other implementations of the roster: entries, each with its hash. They were made by a program that shares no code with
 * `entry.ts`. The keys have the seeds 01…, 02… and so on: 32 times the byte that is named.
 *
 * @module
 */

/** Bytes that the seeds of the keys are made of. */
export const ROSTER_SEEDS = { clinicA: 1, clinicB: 2, nextOfClinicA: 3, invitation: 4, node: 5 } as const;

/** Entries of a roster in the order of their versions, with their hashes. */
export const ROSTER_VECTORS: readonly { readonly entry: object; readonly hash: string }[] = [
  {
    entry: {
      version: 1,
      at: "2029-01-01T00:00:00.000Z",
      act: {
        kind: "founded",
        project: "prj_0123456789abcdefghjk",
        organisation: "clinic-a",
        key: "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
      },
      signatures: [
        {
          key: "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
          signature:
            "6e65f89ab231fa3c1d571d431c514cbfdef8a7d4a62d41f9cf416ceba84bdf06ffdea96a95ee65d8e3e047e54c1671e740b7ed7c004eb7fbe3631954b6247402",
        },
      ],
    },
    hash: "616cb5006fffe47212228c5161cc1c6032ea54bf340da4dd478370fee593ce3b",
  },
  {
    entry: {
      version: 2,
      previous: "616cb5006fffe47212228c5161cc1c6032ea54bf340da4dd478370fee593ce3b",
      at: "2029-01-01T00:00:01.000Z",
      act: {
        kind: "invited",
        by: "clinic-a",
        organisation: "clinic-b",
        invitation: "ca93ac1705187071d67b83c7ff0efe8108e8ec4530575d7726879333dbdabe7c",
        until: "2030-01-01T00:00:00.000Z",
      },
      signatures: [
        {
          key: "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
          signature:
            "201935e7ea326e97723d36ff3f31a62afb86e423d94c0462c53328032d25ea9218f4ff19a10da3fe4fee2ab966fc0695b8f4e576f9e95b66cbd2749f2a76510c",
        },
      ],
    },
    hash: "b90ae476ff997dae00e29ac8fef968733d2c132e879998704c1dc1faea4fbcfe",
  },
  {
    entry: {
      version: 3,
      previous: "b90ae476ff997dae00e29ac8fef968733d2c132e879998704c1dc1faea4fbcfe",
      at: "2029-01-01T00:00:02.000Z",
      act: {
        kind: "joined",
        organisation: "clinic-b",
        key: "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394",
        invitation: "ca93ac1705187071d67b83c7ff0efe8108e8ec4530575d7726879333dbdabe7c",
      },
      signatures: [
        {
          key: "ca93ac1705187071d67b83c7ff0efe8108e8ec4530575d7726879333dbdabe7c",
          signature:
            "ad6fc975c127a4a7f63c1fd90bbd49b954e67aee781713ff818d166eb4cce443bd45f1e519831c1829793521ceff51acc89dd802c1ad881cb0ba407f8cee3804",
        },
        {
          key: "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394",
          signature:
            "440952be735e16bd0b5f547e0971cf162dc2e5706d72db08b92e3300c0a0225ea82845860247aa6441cfb4dcd48c7165c7bbb1fc0cf4640f986d00e8054af60d",
        },
      ],
    },
    hash: "d92f095bcbe92f7244f8c5e79b2fce2ce091287984f0eb2c080b522c69ae4b75",
  },
  {
    entry: {
      version: 4,
      previous: "d92f095bcbe92f7244f8c5e79b2fce2ce091287984f0eb2c080b522c69ae4b75",
      at: "2029-01-01T00:00:03.000Z",
      act: {
        kind: "node-added",
        organisation: "clinic-b",
        node: "ash",
        key: "6e7a1cdd29b0b78fd13af4c5598feff4ef2a97166e3ca6f2e4fbfccd80505bf1",
      },
      signatures: [
        {
          key: "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394",
          signature:
            "2d05e5fddbe2b4cf3eb684626e910c9fd9f871c0bcd98c0702be3f1fbbe1ea1852c3768fa6ae844326f98a5d8e06a33a3d9595040b7d0a22a8911e91baa0910e",
        },
      ],
    },
    hash: "517fec2381d3b2acb1086576baee1f412dd4f8b0e202953c905f3b765f692220",
  },
  {
    entry: {
      version: 5,
      previous: "517fec2381d3b2acb1086576baee1f412dd4f8b0e202953c905f3b765f692220",
      at: "2029-01-01T00:00:04.000Z",
      act: {
        kind: "key-rotated",
        organisation: "clinic-a",
        key: "ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1",
      },
      signatures: [
        {
          key: "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
          signature:
            "58c00437205868420805ba9597bacc9a3b5f2a79c83098034657b4ae18613a488b90caaac314c7e443eeb2b7e7c1c98fb917f2598fb1943797b6d3c6f1d03407",
        },
        {
          key: "ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1",
          signature:
            "edbac1b078ca6b48fb178abbdd186037d19d3b054395efbbbe2e14f89875d8fbc8e060423a1e114aba7e3cd9e8dfae0a9831f9c8890f5edc24e0285d2219f800",
        },
      ],
    },
    hash: "10dedea61698693feb3a0ed5d3e58b33205af5c2609de80e50d3428b95f58ffa",
  },
  {
    entry: {
      version: 6,
      previous: "10dedea61698693feb3a0ed5d3e58b33205af5c2609de80e50d3428b95f58ffa",
      at: "2029-01-01T00:00:05.000Z",
      act: {
        kind: "node-removed",
        organisation: "clinic-b",
        node: "ash",
      },
      signatures: [
        {
          key: "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394",
          signature:
            "38837bd3806eba651d5c001fff353dcbc936f55b5d717d3916f4e2a3f845afff0dfb47b1b78f8200703f81b6797bb9e7a2d374f9f56baab9f48119f092fc4602",
        },
      ],
    },
    hash: "9de9174fa7b30f9ca6fa8a49e134fd7def26ec33cb01ccb3b044b50b9da6e4ea",
  },
  {
    entry: {
      version: 7,
      previous: "9de9174fa7b30f9ca6fa8a49e134fd7def26ec33cb01ccb3b044b50b9da6e4ea",
      at: "2029-01-01T00:00:06.000Z",
      act: {
        kind: "organisation-removed",
        organisation: "clinic-b",
        by: "clinic-a",
      },
      signatures: [
        {
          key: "ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1",
          signature:
            "08fc8587ca1287618cdea3719a4054ebc0acdd621795fcbb3e520d3bf06bfefa8bca597dd7d5aca877ba357e65eba2004785ed8a6bc16173cdedd70cecb84d00",
        },
      ],
    },
    hash: "22844eddfab097287f07f2e44381043a16678e2f9d4100bcd2e5a4062fb77789",
  },
];
