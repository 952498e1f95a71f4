import assert from "node:assert/strict";
import { test } from "node:test";
import { sqliteFailureLog } from "../../../src/platforms/embedded/failure-log.ts";
import { sweep } from "../../../src/platforms/embedded/retention.ts";
import { dayMillis, failureDraft, newRawKey, outcome, tenant } from "../../contracts/outcome-samples.ts";
import { embeddedStores } from "./store-folder.ts";

test("a failure that retention removes after it was loaded is gone, and is not taken for another one", async () => {
  const stores = await embeddedStores();
  try {
    const { database, now } = stores;
    const rawKey = newRawKey();
    const drafts = ["first", "second"].map((text, index) =>
      failureDraft(rawKey, { index, original: Buffer.from(text) }),
    );
    const [end, failures] = [now() + 7 * dayMillis, now() + 60_000];
    await stores.records.commit([
      outcome({ rawKey, failures: drafts, expiresAt: { records: end, failures, raw: end } }),
    ]);
    const log = sqliteFailureLog(database, now);
    const load = () =>
      log.load(
        tenant,
        drafts.map(({ id }) => id),
      );
    const [kept, loaded] = [await load(), await load()];
    assert.deepEqual(kept.map((one) => Buffer.from(one?.whole()?.payload ?? []).toString()).sort(), [
      "first",
      "second",
    ]);

    sweep(database, now() + dayMillis, { rowsMax: 1_000 });
    assert.deepEqual(await load(), [null, null]);
    const after = Buffer.from("third");
    const again = outcome({ rawKey: newRawKey(), failures: [failureDraft(newRawKey(), { original: after })] });
    await stores.records.commit([again]);
    for (const one of loaded) assert.equal(one?.whole(), null);
  } finally {
    await stores.close();
  }
});
