import type { Command } from "commander";
import type { Logger } from "pino";
import { baseCommand } from "./base-command.ts";
import { errorFields } from "./dev.ts";
import { packageVersion } from "./package-version.ts";
import { type ServeReport, serve } from "./serve.ts";
import { addSettingOptions, settingsOf } from "./setting-options.ts";

export function startCommand(): Command {
  const command = baseCommand(
    "start",
    "run it for good: JSON logs, no reload",
    `Runs EventPulse as a service does: logs as JSON lines on stdout, and the config that is there at the start. SIGTERM finishes
what was accepted and ends. The API key is in the data folder's secrets.json unless --key or EVENTPULSE_KEY gives one;
no key is ever logged.

A log line: {"level", "time", "msg", and "url", "dataDirectory", "streams", "problem", "requestId" or "err" where they fit}`,
  );
  addSettingOptions(command, [
    ...(["config", "port", "host", "data", "memory"] as const),
    ...(["smtpUrl", "mailFrom", "key", "tenantKeys", "logLevel"] as const),
  ]);
  return command.action(async () => {
    const settings = settingsOf(command);
    const { pino } = await import("pino");
    const logger = pino({
      level: settings.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    });
    process.exitCode = await serve(settings, false, logReport(logger));
  });
}

function logReport(logger: Logger): ServeReport {
  return {
    interruptText: "Taking no more events, finishing what was accepted.",
    ready: async ({ url, dataDirectory, project, seconds }) => {
      const streams = [...project.streams.keys()];
      logger.info({ url, dataDirectory, streams, seconds, version: packageVersion() }, "ready");
    },
    event(event) {
      if (event.kind === "health") {
        if (event.problem === null) logger.info("healthy again");
        else logger.warn({ problem: event.problem }, "unhealthy");
      } else if (event.kind === "error") logger.error({ requestId: event.requestId, err: event.error }, "error");
      else if (event.kind === "reload-failed") logger.error(errorFields(event.error), "the config is wrong");
      else logger.info({ streams: [...event.project.streams.keys()] }, "config reloaded");
    },
    closed: () => logger.info("closed"),
  };
}
