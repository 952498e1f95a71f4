/**
 * Runs `task` now and then every `everyMillis`, never twice at once: a run that takes longer skips those it overlaps. A task
 * that throws is reported and runs again. Answers with what ends it, after the run under way.
 */
export function repeat(
  everyMillis: number,
  task: () => Promise<void>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let running: Promise<void> | null = null;
  const run = () => {
    running ??= task()
      .catch(onError)
      .finally(() => {
        running = null;
      });
  };
  run();
  const timer = setInterval(run, everyMillis);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
