/**
 * Runs a config on the embedded platform until it is ended: `serve.ts CONFIG_FILE DATA_FOLDER [REQUEST_TIMEOUT_SECONDS]`.
 * Prints its URL as one line of JSON.
 */
import { limits } from "../../src/model/limits.ts";
import { startEmbedded } from "../../src/platforms/embedded/main.ts";

const [configFile = "", dataDirectory = "", seconds] = process.argv.slice(2);
const embedded = await startEmbedded({
  configFile,
  dataDirectory,
  host: "127.0.0.1",
  port: 0,
  requestTimeoutSeconds: seconds === undefined ? limits.requestTimeoutSeconds : Number(seconds),
  onEvent: (event) => {
    if (event.kind === "error") console.error(event.requestId, event.error);
  },
});
console.log(JSON.stringify({ url: embedded.url }));
process.on("SIGTERM", () => void embedded.close().then(() => process.exit(0)));
