import { detectorStatesContract } from "../../contracts/detector-states.ts";
import { awsStores } from "./aws-stores.ts";

detectorStatesContract(awsStores);
