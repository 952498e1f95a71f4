import { failureLogContract } from "../../contracts/failure-log.ts";
import { awsStores } from "./aws-stores.ts";

failureLogContract(awsStores);
