import { defineErrors, EXIT } from "./define.ts";

export const storeErrors = defineErrors({
  DATA_FOLDER_BUSY: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "Another coordinator is using that data folder or database.",
    hint: "Stop it with `nexus down`, or give this one another folder with --home.",
  },
  DATA_FOLDER_UNUSABLE: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "The data folder cannot be used: missing permission, unreachable for the database's user, a network mount, or another format version.",
    hint: "Choose a local folder that the database's user can reach, with --home.",
  },
  DATABASE_UNAVAILABLE: {
    exit: EXIT.failed,
    rpc: "unavailable",
    meaning: "PostgreSQL does not answer.",
    hint: "It is restarted or retried by itself; look at the coordinator's log if this goes on.",
    retryable: true,
  },
  DATABASE_FAILED_TO_START: {
    exit: EXIT.failed,
    rpc: "unavailable",
    meaning: "The embedded PostgreSQL could not be started.",
    hint: "The message ends with PostgreSQL's own words; DATABASE_URL uses a server of your own instead.",
  },
  DATABASE_REFUSED: {
    exit: EXIT.connection,
    rpc: "failed_precondition",
    meaning: "The PostgreSQL server of DATABASE_URL is not to be found, does not let the coordinator in, or has no such database.",
    hint: "Check host, user, password and database name in DATABASE_URL, and that the user may create tables there.",
  },
  DISK_FULL: {
    exit: EXIT.failed,
    rpc: "resource_exhausted",
    meaning: "No space is left on the disk.",
    hint: "Free some space; the work goes on where it was, nothing acknowledged is lost.",
    retryable: true,
  },
  BLOB_NOT_FOUND: {
    exit: EXIT.failed,
    rpc: "not_found",
    meaning: "No blob has that hash.",
    hint: "Send it again; a blob that no committed row refers to is collected.",
  },
  BLOB_CORRUPT: {
    exit: EXIT.failed,
    rpc: "data_loss",
    meaning: "The bytes of a blob do not have the hash or the length they were announced with.",
    hint: "Send it again; if a stored blob is named, restore it from a backup.",
  },
});
