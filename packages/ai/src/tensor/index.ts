export {
  compareNames,
  flattenParameters,
  type ParameterLayout,
  parameterLayout,
  type ParameterSet,
  type Tensor,
  viewParameters,
} from "./parameters.ts";
export {
  type Dtype,
  DTYPE_BYTES,
  elementCount,
  encodeSafetensors,
  type SafetensorsEntry,
  safetensorsHeader,
  type SafetensorsLayout,
  safetensorsLayout,
  safetensorsSizeBytes,
  type StoredTensor,
  type TensorArrays,
  type TensorDescription,
} from "./safetensors.ts";
export { decodeParameters, decodeSafetensors, parseSafetensorsHeader, type SafetensorsLimits } from "./safetensors-decode.ts";
