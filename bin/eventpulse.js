#!/usr/bin/env node
// Starts EventPulse, or says in one line why this Node cannot run it. Plain old JavaScript on purpose: a Node that is too old
// must be able to read this file to the end. bin/package.json makes it CommonJS, which every Node understands.
"use strict";

// biome-ignore-start lint/style/useNodejsImportProtocol: Node before 14.18 does not know "node:"
const childProcess = require("child_process");
const fs = require("fs");
const path = require("path");
const url = require("url");
// biome-ignore-end lint/style/useNodejsImportProtocol: the rest needs no exception

const nodeMajorMin = 24;
const source = path.join(__dirname, "..", "src", "cli", "main.ts");
const built = path.join(__dirname, "..", "dist", "cli", "main.js");
const condition = "--conditions=eventpulse-source";
// What keeps the memory of a server small and its answers quick (npm run bench -- half-of-peak). With a young generation of V8's
// own choice it was 287 to 333 MB. With pretenuring, events went straight to the old generation, and its collections made
// the slowest hundredth of acknowledgements 28 ms instead of 18. glibc's malloc gives blocks of 128 KB and more back at once
// (others ignore these names): 8 MB less.
const serverSettings = require("./server-settings.json");

if (Number(process.versions.node.split(".")[0]) < nodeMajorMin) {
  process.stderr.write(
    `eventpulse needs Node ${nodeMajorMin} or newer and this is Node ${process.versions.node}: ` +
      `"npm install --save-dev node@${nodeMajorMin}" makes npx use it here, or install it from https://nodejs.org\n`,
  );
  process.exitCode = 1;
} else {
  run();
}

function run() {
  const isSource = fs.existsSync(source);
  const isServer = ["dev", "start"].indexOf(process.argv[2]) !== -1;
  // In a source checkout "eventpulse" in a config file means src/index.ts, which Node decides by a flag at start.
  const flags = (isSource ? [condition] : []).concat(isServer ? serverSettings.flags : []);
  const missing = flags.filter((flag) => process.execArgv.indexOf(flag) === -1);
  if (missing.length === 0) start(isSource ? source : built);
  else restart(missing, isServer ? Object.assign({}, serverSettings.environment, process.env) : process.env, isSource);
}

function start(main) {
  quiet();
  // main.ts reads process.argv itself.
  import(url.pathToFileURL(main).href).catch((error) => {
    process.stderr.write(`eventpulse cannot start: ${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = 1;
  });
}

// What EventPulse uses on purpose is no news to its user; every other warning stays.
function quiet() {
  const others = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name === "ExperimentalWarning" && /SQLite|Type Stripping|execve/i.test(warning.message)) return;
    others.forEach((listener) => {
      listener.call(process, warning);
    });
  });
}

// Becomes a Node with these flags. Where a process cannot become another (Windows), the source needs its flag in a child of
// its own, and the settings of a server are left out where no child is needed.
function restart(flags, environment, isSource) {
  const parameters = process.execArgv.concat(flags, [__filename], process.argv.slice(2));
  quiet();
  if (process.platform !== "win32" && process.execve) {
    process.execve(process.execPath, [process.execPath].concat(parameters), environment);
  }
  if (isSource && process.execArgv.indexOf(condition) === -1) spawn(parameters);
  else start(isSource ? source : built);
}

function spawn(parameters) {
  const child = childProcess.spawn(process.execPath, parameters, { stdio: "inherit" });
  // Ctrl-C on a terminal reaches the child by itself, and twice would force it; what is sent to this process alone is passed on.
  ["SIGINT", "SIGTERM", "SIGHUP"].forEach((signal) => {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  });
  child.on("error", (error) => {
    process.stderr.write(`eventpulse cannot start: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = signal === null ? code : 1;
  });
}
