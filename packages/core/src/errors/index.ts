export { ERROR_CATALOGUE, type ErrorCode } from "./catalogue/index.ts";
export { EXIT, type ErrorEntry, type RpcStatus } from "./catalogue/define.ts";
export { isErrorCode, NexusError, type NexusErrorOptions, toNexusError } from "./nexus-error.ts";
export { plural } from "./plural.ts";
