import { notificationLogContract } from "../../contracts/notification-log.ts";
import { awsStores } from "./aws-stores.ts";

notificationLogContract(awsStores);
