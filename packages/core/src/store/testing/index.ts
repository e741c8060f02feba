export { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";
export { type TestDatabase, testDatabase } from "./test-database.ts";
