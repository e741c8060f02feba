/**
 * The builds of the training kernels, made from the same sources. `baseline` gives the same bits on every host. `fma`
 * needs relaxed SIMD: its matrix products use the host's fused multiply-add where it has one, which is quicker, and
 * leaves the rounding of products to the host.
 */
export const KERNEL_BUILDS = ["baseline", "fma"] as const;

export type KernelBuild = (typeof KERNEL_BUILDS)[number];

/** Whether a kernel build, as `Kernel.build` names it, may give other bits on another host. */
export function dependsOnHost(build: string): boolean {
  return build.startsWith("fma-");
}

/**
 * The smallest module with `f32x4.relaxed_madd` (opcode 0xfd 0x105, WebAssembly Core Specification 3.0, §5.4.9): one
 * function of three zero vectors.
 */
const RELAXED_MULTIPLY_ADD = Uint8Array.from([
  // Magic and version; a type () → v128; a function of it; its code.
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  // i32.const 0, i8x16.splat, three times.
  ...[0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f],
  ...[0xfd, 0x85, 0x02, 0x0b],
]);

/** Whether this host can compile a build at all. */
export function runsHere(build: KernelBuild): boolean {
  return build === "baseline" || WebAssembly.validate(RELAXED_MULTIPLY_ADD);
}
