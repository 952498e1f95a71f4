import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadSettings, settings } from "../../src/config/settings.ts";
import { EventPulseError } from "../../src/model/error.ts";

describe("settings", () => {
  test("have defaults", () => {
    assert.deepEqual(loadSettings({ environment: {} }), {
      config: "eventpulse.config.ts",
      port: 8080,
      host: "127.0.0.1",
      data: ".eventpulse",
      memory: false,
      open: true,
      smtpUrl: null,
      mailFrom: "eventpulse@localhost",
      logLevel: "info",
      key: null,
      tenantKeys: null,
    });
  });

  test("come from flags before the environment before defaults", () => {
    const environment = {
      EVENTPULSE_PORT: "9000",
      EVENTPULSE_DATA: "/data",
      EVENTPULSE_MEMORY: "yes",
      EVENTPULSE_HOST: "",
    };
    const loaded = loadSettings({ flags: { port: "9001", open: false, host: undefined }, environment });
    assert.deepEqual(
      [loaded.port, loaded.data, loaded.memory, loaded.open, loaded.host],
      [9001, "/data", true, false, "127.0.0.1"],
    );
  });

  test("that are wrong are listed together, with where they were given and what is allowed, without secrets", () => {
    const environment = {
      EVENTPULSE_PORT: "80a",
      EVENTPULSE_MEMORY: "maybe",
      EVENTPULSE_SMTP_URL: "http://user:hunter2@mail",
      EVENTPULSE_KEY: "hunter2",
      EVENTPULSE_MAIL_FROM: "nobody",
      EVENTPULSE_TENANT_KEYS: "acme:0123456789abcdef,globex:hunter2",
    };
    const flags = { logLevel: "loud", host: "a b", data: "" };
    assert.throws(
      () => loadSettings({ flags, environment }),
      (error) => {
        assert(error instanceof EventPulseError);
        assert.equal(error.code, "SETTING_INVALID");
        assert.match(error.message, /^9 settings are not valid/);
        const details = error.errors.map(({ detail }) => detail);
        assert.equal(
          details[0],
          'EVENTPULSE_PORT: "80a" is not a whole number from 0 to 65535 (TCP port to listen on; 0 takes a free one)',
        );
        assert.match(details.join("\n"), /--log-level: "loud" is not one of trace, debug, info, warn, error, silent/);
        assert.match(details.join("\n"), /--host: "a b" is not a host name/);
        assert.match(details.join("\n"), /EVENTPULSE_KEY: its value is not 16 to 200 printable/);
        assert.match(details.join("\n"), /EVENTPULSE_TENANT_KEYS: its value is not .*: entry 2 must have a key of 16/);
        assert(!JSON.stringify(error.errors).includes("hunter2"));
        return true;
      },
    );
  });

  test("give each tenant the key that stands behind its name, colons included", () => {
    const environment = { EVENTPULSE_TENANT_KEYS: "acme:0123456789abcdef, globex-eu:ab:cd:0123456789" };
    assert.deepEqual(
      loadSettings({ environment }).tenantKeys,
      new Map([
        ["acme", "0123456789abcdef"],
        ["globex-eu", "ab:cd:0123456789"],
      ]),
    );
    for (const wrong of ["acme", "acme:0123456789abcdef,", ":0123456789abcdef", "acme=0123456789abcdef"]) {
      assert.throws(() => loadSettings({ flags: { tenantKeys: wrong } }), { code: "SETTING_INVALID" }, wrong);
    }
  });

  test("have names of their own: no flag and no variable twice", () => {
    const all = Object.values(settings);
    assert.equal(new Set(all.map(({ environment }) => environment)).size, all.length);
    assert.equal(new Set(all.map(({ flags }) => flags.split(" ")[0])).size, all.length);
    assert(all.every(({ environment }) => /^EVENTPULSE_[A-Z_]+$/.test(environment)));
  });
});
