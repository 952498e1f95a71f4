/** Names of this machine itself. A browser that was led here by another name (DNS rebinding) sends that one as Host. */
const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]", "::1"]);

export function isLoopback(host: string): boolean {
  return loopbackNames.has(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether a Host header names this server when it listens on loopback. */
export function isLoopbackHostHeader(header: string): boolean {
  return isLoopback(header.toLowerCase().replace(/:\d{1,5}$/, ""));
}
