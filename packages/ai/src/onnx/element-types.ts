/** Numbers of ONNX's element types that are written: TensorProto.DataType of the standard. */
export const FLOAT = 1;
export const UINT8 = 2;
export const INT64 = 7;

/** Names of ONNX's element types by their number. Source: onnx/onnx.proto3, TensorProto.DataType. */
const NAMES = [
  "UNDEFINED",
  "FLOAT",
  "UINT8",
  "INT8",
  "UINT16",
  "INT16",
  "INT32",
  "INT64",
  "STRING",
  "BOOL",
  "FLOAT16",
  "DOUBLE",
  "UINT32",
  "UINT64",
  "COMPLEX64",
  "COMPLEX128",
  "BFLOAT16",
  "FLOAT8E4M3FN",
  "FLOAT8E4M3FNUZ",
  "FLOAT8E5M2",
  "FLOAT8E5M2FNUZ",
  "UINT4",
  "INT4",
  "FLOAT4E2M1",
];

/** The name of an element type, for errors. */
export function elementTypeName(type: number): string {
  return NAMES[type] ?? `the element type ${type}`;
}
