export { wasmLoader, type WasmSource } from "./wasm-loader.ts";
