import { defineErrors, EXIT } from "./define.ts";

export const dataErrors = defineErrors({
  DATASET_NOT_FOUND: {
    exit: EXIT.failed,
    rpc: "not_found",
    meaning: "No dataset of that name or id is registered.",
    hint: "`nexus dataset list` shows the registered datasets; `nexus dataset add` registers one.",
  },
  DATA_UNREADABLE: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "A data file does not exist or cannot be read.",
    hint: "Check the path and the file's permissions; a node's files lie on that node's machine.",
  },
  DATA_INVALID: {
    exit: EXIT.failed,
    rpc: "invalid_argument",
    meaning: "A data file is damaged, truncated, or does not hold what its schema declares.",
    hint: "Compare the file with the dataset's schema; the message names the file, row and column.",
  },
  DOWNLOAD_FAILED: {
    exit: EXIT.connection,
    rpc: "unavailable",
    meaning: "A public file cannot be had from its publisher: no connection, another answer than the file, broken off, too slow or too large.",
    hint: "Check the connection, and HTTPS_PROXY where there is a proxy; then try again.",
    retryable: true,
  },
});
