import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { errorCodes } from "../../src/model/error.ts";
import { jsonOf, problemOf, project, withApp } from "./app-harness.ts";

/** What a page would load by itself. */
function loadsOf(html: string): readonly string[] {
  return [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
}

describe("pages", () => {
  test(
    "have a policy that lets nothing in from elsewhere, and load only what this server has",
    withApp(async (app) => {
      for (const path of ["/", "/docs", "/problems/JSON_INVALID"]) {
        const response = await app.request(path, { headers: { accept: "text/html" } });
        assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
        const policy = response.headers.get("content-security-policy") ?? "";
        assert.match(policy, /default-src 'none'; script-src 'self';/);
        assert.match(policy, /frame-ancestors 'none'/);
        const html = await response.text();
        assert.doesNotMatch(html, /<script>|\son\w+=|https?:/);
        for (const load of loadsOf(html)) {
          assert.match(load, /^\//);
          assert.equal((await app.request(load)).status, 200, load);
        }
      }
    }),
  );

  test(
    "escape what comes from the config",
    withApp(
      async (app) => {
        const html = await (await app.request("/")).text();
        assert.match(html, /&#60;b&#62;shop/);
        assert.doesNotMatch(html, /<b>/);
      },
      { project: () => ({ ...project, name: '<b>shop"' }) },
    ),
  );

  test(
    "of the documentation are JavaScript and CSS that browsers take as such",
    withApp(async (app) => {
      for (const [file, type] of [
        ["swagger-ui-bundle.js", /^text\/javascript/],
        ["swagger-ui.css", /^text\/css/],
        ["start.js", /^text\/javascript/],
      ] as const) {
        assert.match((await app.request(`/docs/${file}`)).headers.get("content-type") ?? "", type);
      }
      for (const file of ["other.js", "..%2Fpackage.json", "__proto__", "constructor"]) {
        assert.equal((await problemOf(await app.request(`/docs/${file}`))).code, "ROUTE_UNKNOWN", file);
      }
    }),
  );

  test(
    "of an installation without the documentation's files are a 404 that says where the document is",
    withApp(
      async (app) => {
        assert.match((await problemOf(await app.request("/docs/swagger-ui.css"))).detail, /openapi\.json/);
      },
      { asset: () => null },
    ),
  );
});

describe("the type of a problem", () => {
  test(
    "leads to an explanation, for every code, as a page and as JSON",
    withApp(async (app) => {
      for (const [code, { status, title, retry }] of Object.entries(errorCodes)) {
        const page = await (await app.request(`/problems/${code}`)).text();
        assert.ok(page.includes(code) && page.includes(`HTTP status ${status}`), code);
        const json = await jsonOf(app.request(`/problems/${code}`, { headers: { accept: "application/json" } }));
        assert.deepEqual(json, { code, status, title, retry });
      }
    }),
  );

  test(
    "that a problem names is there",
    withApp(async (app) => {
      const { type } = await problemOf(await app.request("/v1/streams/nothing"));
      assert.equal((await app.request(type)).status, 200);
      assert.equal((await app.request("/problems/toString")).status, 404);
    }),
  );
});
