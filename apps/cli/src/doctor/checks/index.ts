import type { Check } from "../finding.ts";
import { checkCertificates } from "./certificates.ts";
import { checkCoordinator } from "./coordinator.ts";
import { checkDataFolder } from "./data-folder.ts";
import { checkDatabase } from "./database.ts";
import { checkNodeFolder } from "./node-folder.ts";
import { checkSoftware } from "./software.ts";

/** All checks, in the order in which they are told. A new one is one file beside this one and one name here. */
export const CHECKS: readonly Check[] = [checkSoftware, checkDataFolder, checkDatabase, checkCoordinator, checkNodeFolder, checkCertificates];
