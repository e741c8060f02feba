export { type HeldShare, lagrangeAtZero, type RandomBytes, recombine, splitSecret } from "./shamir.ts";
