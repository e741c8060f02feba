import { env, InferenceSession, Tensor } from "onnxruntime-web";

env.wasm.numThreads = 1;

/** Runs an exported model with onnxruntime-web's WebAssembly on rows as the file takes them, `shape` without the batch. */
export async function runOnnx(file: Uint8Array, rows: Float32Array | Uint8Array, shape: readonly number[]): Promise<Float32Array> {
  const session = await InferenceSession.create(file, { executionProviders: ["wasm"] });
  try {
    const batch = rows.length / shape.reduce((product, size) => product * size, 1);
    const dims = [batch, ...shape];
    const input = rows instanceof Uint8Array ? new Tensor("uint8", rows, dims) : new Tensor("float32", rows, dims);
    const { output } = await session.run({ input });
    if (output?.dims[0] !== batch || output.dims.length !== 2) throw new Error(`The output is ${output?.dims.join(" × ")}.`);
    return (await output.getData()) as Float32Array;
  } finally {
    await session.release();
  }
}
