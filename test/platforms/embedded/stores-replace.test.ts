import { rawKeyQueries } from "../../contracts/record-table-raw-keys.ts";
import { recordReplacements } from "../../contracts/record-table-replace.ts";
import { embeddedStores } from "./store-folder.ts";

recordReplacements(embeddedStores);
rawKeyQueries(embeddedStores);
