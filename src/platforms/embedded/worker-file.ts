/** URL of a thread's entry beside `moduleUrl`, in the form this installation has: TypeScript in a checkout, JavaScript when published. */
export function workerFile(name: string, moduleUrl: string): URL {
  return new URL(`./${name}${moduleUrl.endsWith(".ts") ? ".ts" : ".js"}`, moduleUrl);
}
