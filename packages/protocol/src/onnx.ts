/** The messages of ONNX model files, generated from `proto/`. @module */
export * from "./gen/ciphernx/onnx/v1/onnx_pb.ts";
