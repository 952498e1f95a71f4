/** Runs the fault config on a data folder until it is ended: `serve.ts DATA_FOLDER [PORT]`. Prints its URL as one line of JSON. */
import { startEmbedded } from "../../src/platforms/embedded/main.ts";

const [dataDirectory = "", port = "0"] = process.argv.slice(2);
const embedded = await startEmbedded({
  configFile: new URL("fault.config.ts", import.meta.url).pathname,
  dataDirectory,
  host: "127.0.0.1",
  port: Number(port),
  onEvent: (event) =>
    console.error(JSON.stringify(event, (_, value) => (value instanceof Error ? value.stack : value))),
});
console.log(JSON.stringify({ url: embedded.url }));
process.on("SIGTERM", () => void embedded.close().then(() => process.exit(0)));
