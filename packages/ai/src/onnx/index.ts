export { checkpointFromOnnx } from "./checkpoint-from-onnx.ts";
export { exportModelFile } from "./export-model-file.ts";
export { exportOnnx, type OnnxExport } from "./export-onnx.ts";
export { importOnnx } from "./import-onnx.ts";
