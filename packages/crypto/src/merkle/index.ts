export { type Inclusion, isIncluded, type MerkleTree, merkleTree } from "./merkle-tree.ts";
