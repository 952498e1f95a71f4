import { recordReplacements } from "../../contracts/record-table-replace.ts";
import { awsStores } from "./aws-stores.ts";

recordReplacements(awsStores);
