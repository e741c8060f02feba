/** The messages of TensorBoard's event files, generated from `proto/`. @module */
export * from "./gen/ciphernx/tensorboard/v1/event_pb.ts";
