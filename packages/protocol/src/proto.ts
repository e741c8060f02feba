/** The messages and services of the wire, generated from `proto/`. @module */
export * from "./gen/ciphernx/control/v1/control_pb.ts";
export * from "./gen/ciphernx/node/v1/node_pb.ts";
export * from "./gen/ciphernx/roster/v1/roster_pb.ts";
export * from "./gen/ciphernx/node/v1/sum_pb.ts";
