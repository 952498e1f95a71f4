import { anomalyLogContract } from "../../contracts/anomaly-log.ts";
import { awsStores } from "./aws-stores.ts";

anomalyLogContract(awsStores);
