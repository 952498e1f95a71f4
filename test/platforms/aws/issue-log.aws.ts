import { issueLogContract } from "../../contracts/issue-log.ts";
import { awsStores } from "./aws-stores.ts";

issueLogContract(awsStores);
