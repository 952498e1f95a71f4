import { type FSWatcher, watch } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { recipesFolder } from "./read-recipe-files.ts";

/** Editors write a file in several steps (truncate, write, rename); one save is one change. */
const settleMillis = 120;
/** What a config is made of; the data folder may lie beside it and changes all the time. */
const sourceFile = /\.(?:[cm]?[jt]s|json)$/;

export interface ConfigWatch {
  close(): void;
}

/**
 * Calls `onChange` some 120 ms after the last change of the config, of another source file in its folder or of a recipe. It watches the folder, not the file, so it survives editors that replace the file by renaming, and
 * a config that is away for a moment. Files imported from other folders are not watched. `onChange` is called one at a
 * time: a change while it still runs is reported when it is done. `onError` gets what the watching itself runs into, and what
 * `onChange` rejects with.
 */
export function watchConfig(
  file: string,
  onChange: () => void | Promise<void>,
  onError: (error: unknown) => void = () => {},
): ConfigWatch {
  const folder = dirname(resolve(file));
  let timer: NodeJS.Timeout | null = null;
  let running = false;
  let changedMeanwhile = false;
  let closed = false;

  const settle = () => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => void report(), settleMillis);
  };
  const report = async () => {
    if (running) {
      changedMeanwhile = true;
      return;
    }
    running = true;
    try {
      await onChange();
    } catch (error) {
      onError(error);
    }
    running = false;
    if (changedMeanwhile && !closed) settle();
    changedMeanwhile = false;
  };

  let recipes = watchRecipes(folder, settle);
  const watcher = watch(folder, (_, name) => {
    if (name === null || name === recipesFolder) {
      // It has come or gone, perhaps.
      recipes?.close();
      recipes = watchRecipes(folder, settle);
      settle();
    }
    // Some systems do not say which file it was.
    if (name === basename(file) || (name !== null && sourceFile.test(name))) settle();
  });
  watcher.on("error", onError);
  return {
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      recipes?.close();
      watcher.close();
    },
  };
}

/** Null when there is no such folder. */
function watchRecipes(folder: string, onChange: () => void): FSWatcher | null {
  try {
    const watcher = watch(join(folder, recipesFolder), onChange);
    // A folder that goes away is told by the one it was in.
    return watcher.on("error", () => watcher.close());
  } catch {
    return null;
  }
}
