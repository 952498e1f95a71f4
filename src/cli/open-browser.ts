import { spawn } from "node:child_process";

/** Opens a page where a person sits in front of a screen; anywhere else, and when it fails, nothing happens. */
export function openBrowser(url: string): void {
  if (process.stdout.isTTY !== true || process.env["CI"] !== undefined || process.env["SSH_CONNECTION"] !== undefined)
    return;
  if (process.platform === "linux" && !process.env["DISPLAY"] && !process.env["WAYLAND_DISPLAY"]) return;
  const [command, ...before] = { darwin: ["open"], win32: ["cmd", "/c", "start", ""] }[process.platform as string] ?? [
    "xdg-open",
  ];
  const child = spawn(command ?? "xdg-open", [...before, url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}
