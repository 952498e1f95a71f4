import { recordTableContract } from "../../contracts/record-table.ts";
import { awsStores } from "./aws-stores.ts";

recordTableContract(awsStores);
